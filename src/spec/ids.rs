//! The user and group ids that containers have of their own.

use super::config::Id;
use super::error::{Error, Problem};
use super::place::Located;
use super::suggest::nearest;
use super::{Container, Spec};
use std::collections::BTreeMap;

/// The id of the first container; the next has the next.
const FIRST: u32 = 100;

/// An id for each container, by its name.
///
/// `uid: NAME` makes a process or a file belong to the container NAME.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ids(BTreeMap<String, u32>);

impl Ids {
    /// Ids for the containers of `onboot`, `onshutdown` and `services`, in this order. A name that
    /// comes twice takes the later id.
    #[must_use]
    pub fn of(spec: &Spec) -> Self {
        let names = spec.containers().map(|container| container.name.value.clone());
        Ids(names.zip(FIRST..).collect())
    }

    /// The id of the container of that name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<u32> {
        self.0.get(name).copied()
    }

    /// The number that `id` means; 0 if it is not there.
    ///
    /// # Errors
    /// It is a name that no container has.
    pub fn resolve(&self, id: Option<&Located<Id>>) -> Result<u32, Error> {
        let Some(id) = id else { return Ok(0) };
        match &id.value {
            Id::Number(number) => Ok(*number),
            Id::Name(name) if name.is_empty() || name == "root" => Ok(0),
            Id::Name(name) => self.get(name).ok_or_else(|| {
                let names: Vec<&str> = self.0.keys().map(String::as_str).collect();
                let nearest = nearest(name, &names).map(str::to_owned);
                Error { place: id.place.clone(), problem: Problem::UnknownId { name: name.clone(), nearest } }
            }),
        }
    }
}

impl Spec {
    /// All containers: those of `onboot`, of `onshutdown` and of `services`.
    pub fn containers(&self) -> impl Iterator<Item = &Container> {
        self.onboot.iter().chain(&self.onshutdown).chain(&self.services)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec(text: &str) -> Spec {
        Spec::parse("test.yml", text).unwrap()
    }

    #[test]
    fn ids_count_from_100_over_onboot_onshutdown_and_services() {
        let ids = Ids::of(&spec(
            "services: [{name: s, image: i}]\nonshutdown: [{name: d, image: i}]\nonboot: [{name: a, image: i}, {name: b, image: i}]",
        ));
        let of = |name| ids.get(name);
        assert_eq!(
            [of("a"), of("b"), of("d"), of("s"), of("x")],
            [Some(100), Some(101), Some(102), Some(103), None]
        );
    }

    #[test]
    fn a_repeated_name_takes_the_later_id() {
        let ids = Ids::of(&spec(
            "onboot: [{name: a, image: i}, {name: a, image: i}]\nservices: [{name: a, image: i}]",
        ));
        assert_eq!(ids.get("a"), Some(102));
    }

    #[test]
    fn empty_and_root_are_0() {
        let spec =
            spec("files: [{path: a, contents: x, uid: root, gid: ''}, {path: b, contents: x, uid: 7}]");
        let ids = Ids::of(&spec);
        for (file, owner) in spec.files.iter().zip([(0, 0), (7, 0)]) {
            let entry = file.resolve(&ids).unwrap();
            assert_eq!((entry.uid, entry.gid), owner);
        }
    }
}
