//! Bytes whose number is known before they are.

use crate::emit;
use bytes::Bytes;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::{Arc, OnceLock};

/// Bytes that take long to compute: the digest of a payload that is being written meanwhile. An
/// output has all its places without them. They are computed by who asks for them first.
#[derive(Clone)]
pub struct Late {
    value: Arc<Value>,
    /// The part of them that is meant, bytes.
    at: usize,
    len: usize,
}

struct Value {
    known: OnceLock<Bytes>,
    compute: Box<Compute>,
}

type Compute = dyn Fn() -> Result<Vec<u8>, emit::Error> + Send + Sync;

impl Late {
    /// The `len` bytes that `compute` gives.
    pub fn new(
        len: usize,
        compute: impl Fn() -> Result<Vec<u8>, emit::Error> + Send + Sync + 'static,
    ) -> Self {
        let value = Value { known: OnceLock::new(), compute: Box::new(compute) };
        Late { value: Arc::new(value), at: 0, len }
    }

    /// How many there are.
    #[must_use]
    #[expect(clippy::len_without_is_empty, reason = "nobody asks whether there are none")]
    pub fn len(&self) -> usize {
        self.len
    }

    /// The bytes, if they were computed, here or on a clone.
    #[must_use]
    pub fn known(&self) -> Option<Bytes> {
        Some(self.value.known.get()?.slice(self.at..self.at + self.len))
    }

    /// The bytes, once they are computed.
    ///
    /// # Errors
    /// What they are computed from cannot be read.
    ///
    /// # Panics
    /// They are not as many as was said.
    pub fn bytes(&self) -> Result<Bytes, emit::Error> {
        if let Some(known) = self.known() {
            return Ok(known);
        }
        let computed = Bytes::from((self.value.compute)()?);
        // Somebody else's are the same.
        let all = self.value.known.get_or_init(|| computed);
        Ok(all.slice(self.at..self.at + self.len))
    }

    /// Bytes `at..at + len` of these.
    pub(super) fn part(&self, at: usize, len: usize) -> Self {
        assert!(at + len <= self.len, "a part of what there is");
        Late { value: self.value.clone(), at: self.at + at, len }
    }
}

/// Equal if they are computed once for both.
impl PartialEq for Late {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.value, &other.value) && (self.at, self.len) == (other.at, other.len)
    }
}

impl Eq for Late {}

impl Hash for Late {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (Arc::as_ptr(&self.value), self.at, self.len).hash(state);
    }
}

impl fmt::Debug for Late {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Late({}..{})", self.at, self.at + self.len)
    }
}
