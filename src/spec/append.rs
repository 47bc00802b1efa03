//! Several specifications as one, and the names in it.

use super::error::{Error, Errors, Log, Problem};
use super::place::{Located, Place};
use super::{Kernel, Spec};
use std::collections::HashMap;

impl Spec {
    /// Adds what a further file asks for.
    ///
    /// The kernel's fields are replaced, each that the further file gives; lists go on. Volumes of
    /// all files can be named by the containers of all.
    ///
    /// # Errors
    /// Two services, or two volumes, have the same name.
    pub fn append(&mut self, other: Spec) -> Result<(), Errors> {
        let Kernel { image, cmdline, binary, tar, ucode } = other.kernel;
        replace(&mut self.kernel.image, filled(image));
        replace(&mut self.kernel.cmdline, filled(cmdline));
        replace(&mut self.kernel.binary, filled(binary));
        replace(&mut self.kernel.tar, tar);
        replace(&mut self.kernel.ucode, ucode);
        self.init.extend(other.init);
        self.onboot.extend(other.onboot);
        self.onshutdown.extend(other.onshutdown);
        self.services.extend(other.services);
        self.files.extend(other.files);
        self.volumes.extend(other.volumes);
        Errors::unless_empty(repeated(self))
    }
}

fn replace<T>(old: &mut Option<T>, new: Option<T>) {
    if new.is_some() {
        *old = new;
    }
}

/// An empty text, as good as none.
fn filled(text: Option<Located<String>>) -> Option<Located<String>> {
    text.filter(|text| !text.is_empty())
}

/// Notes names that cannot be, or are there twice.
pub(super) fn check_names(spec: &Spec, log: &mut Log) {
    for volume in &spec.volumes {
        let bad = volume.name.chars().find(|c| !matches!(c, 'a'..='z' | '0'..='9' | '_' | '-'));
        if let Some(character) = bad {
            let problem = Problem::VolumeName { name: volume.name.value.clone(), character };
            log.report(volume.name.place.clone(), problem);
        }
    }
    for container in spec.containers() {
        let name = &container.name;
        if matches!(name.as_str(), "" | "." | "..") || name.contains(['/', '\0']) {
            let shown = name.escape_default().to_string();
            log.report(name.place.clone(), Problem::ContainerName { name: shown });
        }
    }
    for error in repeated(spec) {
        log.report(error.place, error.problem);
    }
}

/// Names of services and volumes that are there twice. Services run at the same time, so that
/// their names must differ; what runs one after the other may have one name.
fn repeated(spec: &Spec) -> Vec<Error> {
    let services = spec.services.iter().map(|service| ("service", &service.name));
    let volumes = spec.volumes.iter().map(|volume| ("volume", &volume.name));
    let mut seen: HashMap<(&str, &str), &Place> = HashMap::new();
    let mut errors = Vec::new();
    for (what, name) in services.chain(volumes) {
        // Both may be at one place: an alias of an entry repeats its name.
        if let Some(first) = seen.get(&(what, name.as_str())) {
            let problem = Problem::DuplicateName { what, name: name.value.clone(), first: (*first).clone() };
            errors.push(Error { place: name.place.clone(), problem });
        } else {
            seen.insert((what, name.as_str()), &name.place);
        }
    }
    errors
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec(name: &str, text: &str) -> Spec {
        Spec::parse(name, text).unwrap()
    }

    #[test]
    fn fields_of_the_kernel_are_replaced_one_by_one_and_lists_go_on() {
        let mut all = spec(
            "1.yml",
            "kernel: {image: a, cmdline: one, binary: b, tar: t}\ninit: [i]\nfiles: [{path: f, contents: ''}]",
        );
        all.append(spec("2.yml", "kernel: {cmdline: two, image: '', tar: none, ucode: u}\ninit: [j]\nfiles: [{path: f, contents: x}]")).unwrap();
        assert_eq!(all.kernel.image.as_ref().map(|i| i.as_str()), Some("a"));
        assert_eq!((all.kernel.cmdline(), all.kernel.binary()), ("two", "b"));
        assert_eq!((all.kernel.tar(), all.kernel.ucode()), (None, Some("u")));
        assert_eq!(all.init.iter().map(|i| i.as_str()).collect::<Vec<_>>(), ["i", "j"]);
        assert_eq!(all.files.len(), 2);
    }

    #[test]
    fn services_of_two_files_cannot_share_a_name() {
        let text = "services: [{name: a, image: i}]";
        let mut all = spec("1.yml", text);
        let error = all.append(spec("2.yml", text)).unwrap_err().to_string();
        assert!(
            error.starts_with("2.yml:1:19: duplicate service name `a`; the first is at 1.yml:1:19"),
            "{error}"
        );
    }

    #[test]
    fn an_alias_repeats_the_name_too() {
        let text = "services: [&a {name: a, image: i}, *a]";
        let error = Spec::parse("1.yml", text).unwrap_err().to_string();
        assert!(error.contains("duplicate service name `a`"), "{error}");
    }

    #[test]
    fn onboot_names_may_repeat() {
        let text = "onboot: [{name: a, image: i}, {name: a, image: i}]\nonshutdown: [{name: a, image: i}]";
        let mut all = spec("1.yml", text);
        all.append(spec("2.yml", text)).unwrap();
        all.check().unwrap();
    }

    #[test]
    fn a_container_can_name_a_volume_of_a_later_file() {
        let mut all = spec("1.yml", "onboot: [{name: a, image: i, binds: ['v:/v']}]");
        assert!(all.check().is_err());
        all.append(spec("2.yml", "volumes: [{name: v}]")).unwrap();
        all.check().unwrap();
    }

    #[test]
    fn modules_are_wanted_unless_the_kernel_says_none() {
        for (kernel, tar) in
            [("{}", Some("kernel.tar")), ("{tar: x}", Some("x")), ("{tar: none}", None), ("{tar: ''}", None)]
        {
            assert_eq!(spec("1.yml", &format!("kernel: {kernel}")).kernel.tar(), tar);
        }
    }
}
