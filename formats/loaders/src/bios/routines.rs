//! The names by which routines call each other.

use iced_x86::IcedError;
use iced_x86::code_asm::{CodeAssembler, CodeLabel};

/// A label for each routine that another file calls; its contract is where it is set.
pub(super) struct Routines {
    // entry
    pub(super) restart: CodeLabel,
    // console
    pub(super) print: CodeLabel,
    pub(super) alert: CodeLabel,
    pub(super) put: CodeLabel,
    pub(super) hex: CodeLabel,
    pub(super) die: CodeLabel,
    // protected
    pub(super) copy: CodeLabel,
    pub(super) take: CodeLabel,
    // checksum
    pub(super) fresh: CodeLabel,
    pub(super) close: CodeLabel,
    // disk
    pub(super) open: CodeLabel,
    pub(super) stream: CodeLabel,
    pub(super) load: CodeLabel,
    pub(super) int13: CodeLabel,
    // chs
    pub(super) geometry: CodeLabel,
    pub(super) chs: CodeLabel,
    // what comes with the rest
    pub(super) a20: CodeLabel,
    pub(super) memory: CodeLabel,
    pub(super) find: CodeLabel,
    pub(super) kernel: CodeLabel,
}

impl Routines {
    pub(super) fn new(a: &mut CodeAssembler) -> Self {
        let mut label = || a.create_label();
        Routines {
            restart: label(),
            print: label(),
            alert: label(),
            put: label(),
            hex: label(),
            die: label(),
            copy: label(),
            take: label(),
            fresh: label(),
            close: label(),
            open: label(),
            stream: label(),
            load: label(),
            int13: label(),
            geometry: label(),
            chs: label(),
            a20: label(),
            memory: label(),
            find: label(),
            kernel: label(),
        }
    }

    /// Prints `text`. Destroys AL and SI.
    pub(super) fn say(&self, a: &mut CodeAssembler, text: &str) -> Result<(), IcedError> {
        a.call(self.print)?;
        inline(a, text)
    }

    /// The same, on a line of its own that begins with our name.
    pub(super) fn alert(&self, a: &mut CodeAssembler, text: &str) -> Result<(), IcedError> {
        a.call(self.alert)?;
        inline(a, text)
    }

    /// The same, then waits for a key and begins anew. Does not return.
    pub(super) fn fail(&self, a: &mut CodeAssembler, text: &str) -> Result<(), IcedError> {
        self.alert(a, text)?;
        a.jmp(self.die)
    }
}

/// A text that ends with a zero, in the midst of the code.
fn inline(a: &mut CodeAssembler, text: &str) -> Result<(), IcedError> {
    // The assembler takes 16 bytes at a time.
    for bytes in text.as_bytes().chunks(16) {
        a.db(bytes)?;
    }
    a.db(&[0])
}
