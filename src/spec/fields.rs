//! Reading nodes as the types that they must have, noting every one that has another.

use super::config::Id;
use super::error::{Log, Problem};
use super::place::{Located, Place};
use super::suggest::nearest;
use super::yaml::{Document, Kind, Node, Value, resolve};
use std::collections::BTreeMap;

/// Types, in the words of a message.
const BOOLEAN: &str = "`true` or `false`";
const INTEGER: &str = "an integer";

/// A node to be read.
#[derive(Clone, Copy)]
pub(super) struct NodeRef<'a> {
    document: &'a Document,
    node: &'a Node,
}

/// The keys of a mapping that have not been read yet.
pub(super) struct Fields<'a> {
    /// What it is, as messages call it.
    within: String,
    place: &'a Place,
    left: Vec<(&'a str, &'a Place, NodeRef<'a>)>,
    known: Vec<&'static str>,
    any_case: bool,
}

/// Integers that a field may hold.
pub(super) trait Integer: TryFrom<i128> {
    /// The smallest and the largest, in words.
    const RANGE: &'static str;
}

impl Integer for u16 {
    const RANGE: &'static str = "0 to 65535";
}
impl Integer for u32 {
    const RANGE: &'static str = "0 to 4294967295";
}
impl Integer for u64 {
    const RANGE: &'static str = "0 to 18446744073709551615";
}
impl Integer for i64 {
    const RANGE: &'static str = "-9223372036854775808 to 9223372036854775807";
}

impl<'a> NodeRef<'a> {
    pub(super) fn root(document: &'a Document) -> Self {
        NodeRef { document, node: &document.nodes[document.root] }
    }

    pub(super) fn place(self) -> &'a Place {
        &self.node.place
    }

    fn at(self, number: usize) -> Self {
        NodeRef { document: self.document, node: &self.document.nodes[number] }
    }

    /// The node in the words of a message.
    fn found(self) -> String {
        match &self.node.kind {
            Kind::List(_) => "a list".to_owned(),
            Kind::Map(_) => "a mapping".to_owned(),
            Kind::Scalar(scalar) => match scalar.value {
                Value::Null => "empty".to_owned(),
                Value::Bool(_) => format!("`{}`", scalar.text),
                Value::Int(_) | Value::Float => format!("the number {}", shortened(&scalar.text)),
                Value::Text | Value::Merge => format!("the text `{}`", shortened(&scalar.text)),
            },
        }
    }

    fn wrong(self, what: &str, expected: &str, log: &mut Log) {
        let text = match &self.node.kind {
            Kind::Scalar(scalar) => scalar.text.as_str(),
            _ => "",
        };
        let expected = match (self.value(), resolve(text)) {
            (Some(Value::Bool(_) | Value::Int(_) | Value::Float), _) if expected == "text" => {
                format!("text: write it in quotes, \"{}\"", shortened(text))
            }
            (Some(Value::Text), Value::Bool(_)) if expected == BOOLEAN => {
                format!("{expected}, without quotes")
            }
            (Some(Value::Text), Value::Int(_)) if expected == INTEGER => {
                format!("{expected}, without quotes")
            }
            _ => expected.to_owned(),
        };
        let problem = Problem::Type { what: what.to_owned(), found: self.found(), expected };
        log.report(self.place().clone(), problem);
    }

    /// The keys of the node, which is `within`.
    pub(super) fn fields(self, within: &str, log: &mut Log) -> Option<Fields<'a>> {
        let Kind::Map(entries) = &self.node.kind else {
            self.wrong(within, "a mapping", log);
            return None;
        };
        let left = entries.iter().filter_map(|entry| {
            let key = &self.document.nodes[entry.key];
            match &key.kind {
                Kind::Scalar(scalar) => Some((scalar.text.as_str(), &key.place, self.at(entry.value))),
                _ => None,
            }
        });
        let left = left.collect();
        Some(Fields {
            within: within.to_owned(),
            place: self.place(),
            left,
            known: Vec::new(),
            any_case: false,
        })
    }

    /// The items of a list.
    pub(super) fn items(
        self,
        what: &str,
        log: &mut Log,
    ) -> Option<impl Iterator<Item = NodeRef<'a>> + use<'a>> {
        let Kind::List(items) = &self.node.kind else {
            self.wrong(what, "a list", log);
            return None;
        };
        Some(items.iter().map(move |item| self.at(*item)))
    }

    pub(super) fn text(self, what: &str, log: &mut Log) -> Option<Located<String>> {
        match &self.node.kind {
            Kind::Scalar(scalar) if matches!(scalar.value, Value::Text | Value::Merge) => {
                Some(Located::new(scalar.text.clone(), self.place().clone()))
            }
            _ => {
                self.wrong(what, "text", log);
                None
            }
        }
    }

    fn value(self) -> Option<Value> {
        match &self.node.kind {
            Kind::Scalar(scalar) => Some(scalar.value),
            _ => None,
        }
    }

    fn boolean(self, what: &str, log: &mut Log) -> Option<bool> {
        let Some(Value::Bool(value)) = self.value() else {
            self.wrong(what, BOOLEAN, log);
            return None;
        };
        Some(value)
    }

    fn integer<T: Integer>(self, what: &str, log: &mut Log) -> Option<T> {
        let Some(Value::Int(value)) = self.value() else {
            self.wrong(what, INTEGER, log);
            return None;
        };
        let number = T::try_from(value).ok();
        if number.is_none() {
            let problem = Problem::Range { what: what.to_owned(), value: value.to_string(), range: T::RANGE };
            log.report(self.place().clone(), problem);
        }
        number
    }

    /// The number, if it is one.
    pub(super) fn number(self) -> Option<u64> {
        match self.value()? {
            Value::Int(number) => u64::try_from(number).ok(),
            _ => None,
        }
    }

    /// A user or group: text or a number.
    pub(super) fn id(self, what: &str, log: &mut Log) -> Option<Located<Id>> {
        let id = match self.value() {
            Some(Value::Int(_)) => Id::Number(self.integer(what, log)?),
            Some(Value::Text | Value::Merge) => Id::Name(self.text(what, log)?.value),
            _ => {
                self.wrong(what, "an integer, or the name of a container", log);
                return None;
            }
        };
        Some(Located::new(id, self.place().clone()))
    }
}

impl<'a> Fields<'a> {
    /// Takes the keys in any mix of large and small letters.
    pub(super) fn in_any_case(mut self) -> Self {
        self.any_case = true;
        self
    }

    /// The value of a key.
    pub(super) fn take(&mut self, key: &'static str, log: &mut Log) -> Option<NodeRef<'a>> {
        self.known.push(key);
        let any_case = self.any_case;
        let mut found: Option<(&Place, NodeRef<'a>)> = None;
        self.left.retain(|(name, place, node)| {
            let is_key = *name == key || any_case && name.eq_ignore_ascii_case(key);
            match (is_key, found) {
                (false, _) => {}
                (true, None) => found = Some((place, *node)),
                (true, Some((first, _))) => {
                    let problem = Problem::DuplicateKey { key: (*name).to_owned(), first: first.line() };
                    log.report((*place).clone(), problem);
                }
            }
            !is_key
        });
        found.map(|(_, node)| node)
    }

    /// The value of a key that must not be there.
    pub(super) fn forbidden(&mut self, key: &'static str, log: &mut Log) -> Option<NodeRef<'a>> {
        let node = self.take(key, log);
        self.known.pop();
        node
    }

    pub(super) fn text(&mut self, key: &'static str, log: &mut Log) -> Option<Located<String>> {
        let node = self.take(key, log)?;
        node.text(&named(key), log)
    }

    /// The text of a key whose place nobody asks for; empty if it is not there.
    pub(super) fn plain(&mut self, key: &'static str, log: &mut Log) -> String {
        self.text(key, log).map(|text| text.value).unwrap_or_default()
    }

    pub(super) fn boolean(&mut self, key: &'static str, log: &mut Log) -> Option<bool> {
        let node = self.take(key, log)?;
        node.boolean(&named(key), log)
    }

    pub(super) fn integer<T: Integer>(&mut self, key: &'static str, log: &mut Log) -> Option<T> {
        let node = self.take(key, log)?;
        node.integer(&named(key), log)
    }

    pub(super) fn id(&mut self, key: &'static str, log: &mut Log) -> Option<Located<Id>> {
        let node = self.take(key, log)?;
        node.id(&named(key), log)
    }

    /// The items of a list; those that `read` gives nothing for are left out.
    pub(super) fn list<T>(
        &mut self,
        key: &'static str,
        log: &mut Log,
        mut read: impl FnMut(NodeRef<'a>, &mut Log) -> Option<T>,
    ) -> Option<Vec<T>> {
        let items = self.take(key, log)?.items(&named(key), log)?;
        Some(items.filter_map(|item| read(item, log)).collect())
    }

    pub(super) fn texts(&mut self, key: &'static str, log: &mut Log) -> Option<Vec<Located<String>>> {
        self.list(key, log, |item, log| item.text(&format!("an item of `{key}`"), log))
    }

    /// A list of texts whose places nobody asks for.
    pub(super) fn plain_texts(&mut self, key: &'static str, log: &mut Log) -> Option<Vec<String>> {
        let texts = self.texts(key, log)?;
        Some(texts.into_iter().map(|text| text.value).collect())
    }

    /// A mapping from any text to text.
    pub(super) fn text_map(&mut self, key: &'static str, log: &mut Log) -> Option<BTreeMap<String, String>> {
        let fields = self.take(key, log)?.fields(&named(key), log)?;
        let texts = fields.left.into_iter().filter_map(|(name, _, node)| {
            let value = node.text(&named(name), log)?;
            Some((name.to_owned(), value.value))
        });
        Some(texts.collect())
    }

    /// The keys of a mapping in this one.
    pub(super) fn fields(&mut self, key: &'static str, log: &mut Log) -> Option<Fields<'a>> {
        self.take(key, log)?.fields(&named(key), log)
    }

    /// Notes that a key is missing.
    pub(super) fn missing(&self, key: &'static str, log: &mut Log) {
        log.report(self.place.clone(), Problem::MissingKey { key, within: self.within.clone() });
    }

    /// Notes the keys that nobody took.
    pub(super) fn finish(self, log: &mut Log) {
        for (key, place, _) in &self.left {
            let problem = Problem::UnknownKey {
                key: shortened(key),
                within: self.within.clone(),
                nearest: nearest(key, &self.known),
                known: self.known.clone(),
            };
            log.report((*place).clone(), problem);
        }
    }
}

fn named(key: &str) -> String {
    format!("`{}`", shortened(key))
}

fn shortened(text: &str) -> String {
    const LONGEST: usize = 40;
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", printable(&text[..end])),
        None => printable(text),
    }
}

fn printable(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() { c.escape_default().to_string() } else { c.to_string() })
        .collect()
}
