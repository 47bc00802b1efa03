/* Wine 8 has no bcryptprimitives.dll, from which Rust's library takes randomness: without it, no
   program starts. Of its functions that library wants only this one. */
#include <windows.h>

BOOLEAN NTAPI SystemFunction036(PVOID buffer, ULONG length); /* RtlGenRandom */

__declspec(dllexport) BOOL WINAPI ProcessPrng(PBYTE buffer, SIZE_T length)
{
    return SystemFunction036(buffer, (ULONG)length);
}
