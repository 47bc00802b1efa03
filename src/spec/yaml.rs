//! YAML as a tree of nodes, each with its place.
//!
//! ```text
//! text ──▶ events ──▶ nodes ──▶ mappings with each key once,
//!       granit-parser    │      merge keys (`<<`) resolved
//!                        └ an alias is the node that it names
//! ```
//! The tree is read by [`super::fields`], key by key, so that everything wrong in it can be told at
//! once; a deserializer stops at the first. Nodes are in one list and name each other by number:
//! nothing here recurses, so that no input overflows the stack.
//!
//! \[YAML\] *YAML Ain't Markup Language*, version 1.2.2, with the reading of plain integers that
//! LinuxKit's parser (yaml.v3) has: `0644` is octal.

mod build;
mod scalar;
mod syntax;

pub(super) use scalar::{Scalar, Value, resolve};
pub use syntax::Syntax;

use super::error::{Log, Problem};
use super::place::Place;
use build::Builder;
use granit_parser::{Event, Parser, options};

/// Sequences and mappings inside each other; the deepest key of a specification is at 7.
const MAX_NESTING: usize = 64;

/// What all aliases of a text may repeat, in bytes. Nobody repeats that much, but ten lines of
/// aliases of aliases can ask for more than there is memory.
const MAX_REPEATED: usize = 16 << 20;

/// A document: its nodes, and the one that all others are in.
#[derive(Debug)]
pub(super) struct Document {
    pub(super) nodes: Vec<Node>,
    pub(super) root: usize,
}

/// A node, and where it begins.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) place: Place,
    pub(super) kind: Kind,
}

/// What a node is. Numbers are those of other nodes.
#[derive(Debug)]
pub(super) enum Kind {
    Scalar(Scalar),
    List(Vec<usize>),
    Map(Vec<Entry>),
}

/// A key and its value.
#[derive(Clone, Copy, Debug)]
pub(super) struct Entry {
    pub(super) key: usize,
    pub(super) value: usize,
}

impl Document {
    /// The first document of the log's text; none if there is nothing to go on with.
    pub(super) fn read(log: &mut Log, text: &str) -> Option<Document> {
        let options = options! {
            emit_comments: false,
            flow_nesting_limit: MAX_NESTING,
            block_nesting_limit: MAX_NESTING,
        };
        let mut builder = Builder::default();
        let mut documents = 0;
        for event in Parser::new_from_str_with_options(text, options) {
            let (event, span) = match event {
                Ok(event) => event,
                Err(error) => {
                    let mark = error.marker();
                    let place = log.place(mark.line(), mark.col());
                    log.report(place, syntax::problem(&error, text));
                    return None;
                }
            };
            let place = log.place(span.start.line(), span.start.col());
            match event {
                Event::DocumentStart(..) => documents += 1,
                Event::Scalar(..) if documents > 1 && span.is_empty() => {}
                Event::Scalar(..) | Event::SequenceStart(..) | Event::MappingStart(..) if documents > 1 => {
                    log.report(place, Problem::SecondDocument);
                    return None;
                }
                event => builder.add(event, place, span.is_empty(), log)?,
            }
        }
        builder.finish(log)
    }
}
