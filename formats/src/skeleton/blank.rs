//! Contents that are only a length, for the writers of hadris.
//!
//! `hadris_fs::Content` is closed: bytes, a file of the host, stored extents, or a file of a
//! mounted `Volume`. The last is open through its `FileSystem` trait. This one has a file of zeros
//! for every length, whose name is the length in decimal.

use core::convert::Infallible;
use hadris_fs::sync::{FileSystem, Volume, read_tree};
use hadris_fs::{
    Capabilities, CaseRule, Charset, Content, DirCursor, DirEntry, ErrorKind, FileType, FsResult, FsStats,
    Metadata, Name, Node, NodeId, OpenMode, PathError, Permissions,
};

/// The volume of blank files.
pub(crate) struct Blanks(Volume<Zeros>);

impl Blanks {
    pub(crate) fn new() -> Self {
        Blanks(Volume::new(Zeros))
    }

    /// `len` zeros.
    pub(crate) fn content(&self, len: u64) -> Result<Content, PathError> {
        let name = len.to_string();
        let tree = read_tree(&self.0, &name)?;
        let content = tree.get(&name).and_then(Node::content).cloned();
        content.ok_or_else(|| PathError::new(ErrorKind::NotFound, "no blank file of this length"))
    }
}

struct Zeros;

type Answer<T> = FsResult<T, Infallible>;

/// The root's number; a file's is [`FIRST`] more than its length.
const ROOT: u64 = 1;
const FIRST: u64 = 2;

fn node(number: u64) -> NodeId {
    NodeId::new(number).expect("numbers begin at 1")
}

impl FileSystem for Zeros {
    type DeviceError = Infallible;

    fn capabilities(&self) -> Capabilities {
        Capabilities::new(CaseRule::Sensitive, Charset::Bytes, 20)
    }

    fn root(&self) -> NodeId {
        node(ROOT)
    }

    fn lookup(&mut self, _: NodeId, name: &Name) -> Answer<NodeId> {
        let len = name.to_str().ok().and_then(|s| s.parse::<u64>().ok());
        let number = len.and_then(|len| len.checked_add(FIRST));
        Ok(node(number.ok_or(ErrorKind::NotFound)?))
    }

    fn stat(&mut self, n: NodeId) -> Answer<Metadata> {
        let kind = if n.get() == ROOT { FileType::Dir } else { FileType::File };
        Ok(Metadata::new(kind, Permissions::new(0o444)).with_len(n.get().saturating_sub(FIRST)))
    }

    fn read(&mut self, n: NodeId, offset: u64, buf: &mut [u8]) -> Answer<usize> {
        let left = n.get().saturating_sub(FIRST).saturating_sub(offset);
        let len = usize::try_from(left).map_or(buf.len(), |left| left.min(buf.len()));
        buf[..len].fill(0);
        Ok(len)
    }

    fn forget(&mut self, _: NodeId, _: u64) {}

    fn parent(&mut self, _: NodeId) -> Answer<NodeId> {
        Ok(node(ROOT))
    }

    fn readdir(&mut self, _: NodeId, _: DirCursor) -> Answer<Option<DirEntry>> {
        Ok(None)
    }

    fn open(&mut self, _: NodeId, _: OpenMode) -> Answer<()> {
        Ok(())
    }

    fn close(&mut self, _: NodeId) -> Answer<()> {
        Ok(())
    }

    fn statfs(&mut self) -> Answer<FsStats> {
        Ok(FsStats::new(0, 0, 512))
    }

    fn label<'b>(&mut self, _: &'b mut [u8]) -> Answer<Option<&'b str>> {
        Ok(None)
    }

    fn readlink<'b>(&mut self, _: NodeId, _: &'b mut [u8]) -> Answer<&'b [u8]> {
        Err(ErrorKind::InvalidInput.into())
    }
}
