//! Nodes from events.

use super::{Document, Entry, Kind, MAX_REPEATED, Node, Scalar, Value};
use crate::spec::error::{Log, Problem};
use crate::spec::place::Place;
use granit_parser::Event;
use std::collections::HashMap;

/// What a node costs beside its text, in bytes, in whatever is made of it.
const NODE_COST: usize = 64;

#[derive(Default)]
pub(super) struct Builder {
    nodes: Vec<Node>,
    /// The memory that each node would take if its aliases were written out.
    costs: Vec<usize>,
    /// What the aliases until now repeat.
    repeated: usize,
    /// Collections that have not ended, outermost first.
    open: Vec<Open>,
    /// Node numbers by the parser's anchor numbers.
    anchors: HashMap<usize, usize>,
    root: Option<usize>,
}

struct Open {
    node: usize,
    items: Vec<usize>,
}

impl Builder {
    /// Takes the next event; none if the document is not worth reading on.
    ///
    /// `implicit`: the node is not in the text, as the value in `key:`.
    pub(super) fn add(
        &mut self,
        event: Event<'_>,
        place: Place,
        implicit: bool,
        log: &mut Log,
    ) -> Option<()> {
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                let (scalar, problem) = Scalar::new(text.into_owned(), style, tag.as_deref(), implicit);
                if let Some(problem) = problem {
                    log.report(place.clone(), problem);
                }
                let cost = NODE_COST.saturating_add(scalar.text.len());
                let place = if implicit { self.key_place().unwrap_or(place) } else { place };
                let node = self.push(Kind::Scalar(scalar), place, cost, anchor);
                self.put(node);
            }
            Event::SequenceStart(_, anchor, _) => self.begin(Kind::List(Vec::new()), place, anchor),
            Event::MappingStart(_, anchor, _) => self.begin(Kind::Map(Vec::new()), place, anchor),
            Event::SequenceEnd | Event::MappingEnd => self.end(log),
            Event::Alias(anchor) => {
                let node = self.anchors.get(&anchor).copied();
                let node = node.filter(|node| self.open.iter().all(|open| open.node != *node));
                let Some(node) = node else {
                    log.report(place, Problem::AliasInItself);
                    return None;
                };
                self.repeated = self.repeated.saturating_add(self.costs[node]);
                if self.repeated > MAX_REPEATED {
                    log.report(place, Problem::Repeated { limit: MAX_REPEATED });
                    return None;
                }
                self.put(node);
            }
            _ => {}
        }
        Some(())
    }

    pub(super) fn finish(self, log: &mut Log) -> Option<Document> {
        let Some(root) = self.root else {
            let place = log.place(1, 0);
            log.report(place, Problem::Empty);
            return None;
        };
        Some(Document { nodes: self.nodes, root })
    }

    fn push(&mut self, kind: Kind, place: Place, cost: usize, anchor: usize) -> usize {
        let node = self.nodes.len();
        self.nodes.push(Node { place, kind });
        self.costs.push(cost);
        if anchor != 0 {
            self.anchors.insert(anchor, node);
        }
        node
    }

    fn begin(&mut self, kind: Kind, place: Place, anchor: usize) {
        let node = self.push(kind, place, NODE_COST, anchor);
        self.open.push(Open { node, items: Vec::new() });
    }

    fn end(&mut self, log: &mut Log) {
        let Some(Open { node, items }) = self.open.pop() else { return };
        let cost = items.iter().fold(self.costs[node], |sum, item| sum.saturating_add(self.costs[*item]));
        self.costs[node] = cost;
        self.nodes[node].kind = match self.nodes[node].kind {
            Kind::Map(_) => Kind::Map(self.entries(&items, log)),
            _ => Kind::List(items),
        };
        self.put(node);
    }

    fn put(&mut self, node: usize) {
        match self.open.last_mut() {
            Some(open) => open.items.push(node),
            None => self.root = Some(node),
        }
    }

    /// Where the key stands whose value comes next.
    fn key_place(&self) -> Option<Place> {
        let open = self.open.last()?;
        let is_map = matches!(self.nodes[open.node].kind, Kind::Map(_));
        let key = open.items.last().filter(|_| is_map && open.items.len() % 2 == 1)?;
        Some(self.nodes[*key].place.clone())
    }

    /// The entries of a mapping of keys and values in turn, each key once.
    fn entries(&self, items: &[usize], log: &mut Log) -> Vec<Entry> {
        let mut seen: HashMap<&str, usize> = HashMap::new();
        let mut entries = Vec::new();
        let mut merges = Vec::new();
        for pair in items.chunks_exact(2) {
            let entry = Entry { key: pair[0], value: pair[1] };
            let node = &self.nodes[entry.key];
            let Kind::Scalar(key) = &node.kind else {
                log.report(node.place.clone(), Problem::KeyNotText);
                continue;
            };
            if key.value == Value::Merge {
                merges.push(entry.value);
            } else if let Some(first) = seen.get(key.text.as_str()) {
                let first = self.nodes[*first].place.line();
                log.report(node.place.clone(), Problem::DuplicateKey { key: key.text.clone(), first });
            } else {
                seen.insert(&key.text, entry.key);
                entries.push(entry);
            }
        }
        for merge in merges {
            for entry in self.merged(merge, log) {
                if let Kind::Scalar(key) = &self.nodes[entry.key].kind
                    && !seen.contains_key(key.text.as_str())
                {
                    seen.insert(&key.text, entry.key);
                    entries.push(entry);
                }
            }
        }
        entries
    }

    /// The entries that the value of a merge key brings: of one mapping, or of several of which
    /// the earlier wins.
    fn merged(&self, value: usize, log: &mut Log) -> Vec<Entry> {
        let one = [value];
        let maps = match &self.nodes[value].kind {
            Kind::List(items) => items.as_slice(),
            _ => &one,
        };
        let mut entries = Vec::new();
        for map in maps {
            match &self.nodes[*map].kind {
                Kind::Map(map) => entries.extend_from_slice(map),
                _ => log.report(self.nodes[*map].place.clone(), Problem::MergeNotMapping),
            }
        }
        entries
    }
}
