"""What the headers of an image say; the bytes that are in no part of it, or in two; and warnings."""

import sys

import pefile

pe = pefile.PE(sys.argv[1])
optional = pe.OPTIONAL_HEADER
print("machine", hex(pe.FILE_HEADER.Machine), "symbols", pe.FILE_HEADER.PointerToSymbolTable)

end = optional.SizeOfHeaders
# Zeros that memory begins with are not in the file.
in_file = [section for section in pe.sections if section.SizeOfRawData]
for section in sorted(in_file, key=lambda section: section.PointerToRawData):
    if section.PointerToRawData != end:
        print("gap of", section.PointerToRawData - end, "at", end)
    end = section.PointerToRawData + section.SizeOfRawData
print("after the sections", len(pe.__data__) - end)

last = pe.sections[-1]
pages = -(-last.Misc_VirtualSize // 4096) * 4096
print("after the last page", optional.SizeOfImage - last.VirtualAddress - pages)
print("checksum", optional.CheckSum)
for section in pe.sections[-3:]:
    name = section.Name.decode().strip("\0")
    print(name, section.Misc_VirtualSize, section.SizeOfRawData, hex(section.Characteristics))
for warning in pe.get_warnings():
    # Contents of the tests are mostly one byte.
    if "of the file's contents" not in warning:
        print("warning:", warning)
