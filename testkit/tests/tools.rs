//! Licences of what only runs beside the lab and its tests: Python packages, as they are installed, and artifacts of
//! Maven. No program of ours links them (`licences.rs` has what they link), but the AGPL is forbidden here too.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

/// Licences that ask for more than the notice and the source of their own files.
const COPYLEFT: [&str; 7] = ["GPL", "GNU ", "Affero", "AFFERO", "SSPL", "Server Side Public", "BUSL"];
/// Fields of a package's metadata that say its licence.
const FIELDS: [&str; 3] = ["License-Expression:", "License:", "Classifier: License ::"];
/// How much of a licence says which one it is, in characters.
const HEAD: usize = 200;
/// Groups of Maven whose artifacts are installed, and their licence.
const GROUPS: [(&str, &str); 4] = [
    ("org.apache.kafka", "Apache-2.0"),
    ("org.apache.logging.log4j", "Apache-2.0"),
    ("org.opensearch", "Apache-2.0"),
    ("org.opensearch.plugin", "Apache-2.0"),
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize().expect("the workspace root")
}

/// The files with this name in the folders of `tools`.
fn files(name: &str) -> Vec<PathBuf> {
    let folders = fs::read_dir(root().join("tools")).expect("tools").flatten();
    folders.map(|folder| folder.path().join(name)).filter(|file| file.is_file()).collect()
}

/// The names that a list of requirements pins, as an index compares them, or the line that pins none.
fn pinned(text: &str) -> Result<Vec<String>, String> {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines
        .map(|line| line.split_once("==").map(|(name, _)| plain(name)).ok_or_else(|| line.to_owned()))
        .collect()
}

fn plain(name: &str) -> String {
    name.to_lowercase().replace(['_', '.'], "-")
}

/// A package that is installed.
struct Package {
    metadata: String,
    /// How its licences begin.
    licences: String,
}

impl Package {
    /// Reads a `….dist-info`: its name, and what it says; nothing, if it is something else.
    fn read(folder: &Path) -> Option<(String, Self)> {
        let metadata = fs::read_to_string(folder.join("METADATA")).ok()?;
        let name = plain(metadata.lines().find_map(|line| line.strip_prefix("Name: "))?);
        let files = below(folder).into_iter().chain(below(&folder.join("licenses")));
        let texts =
            files.filter(|file| file.file_name().is_some_and(|name| is_licence(&name.to_string_lossy())));
        let heads = texts.filter_map(|file| fs::read_to_string(file).ok());
        let licences = heads.map(|text| text.chars().take(HEAD).collect::<String>()).collect();
        Some((name, Self { metadata, licences }))
    }

    /// Why it is not fine.
    fn wrong(&self) -> Option<String> {
        // After an empty line there is the description.
        let head = self.metadata.split("\n\n").next().unwrap_or_default();
        let mut said: Vec<&str> =
            head.lines().filter(|line| FIELDS.iter().any(|field| line.starts_with(field))).collect();
        said.extend(self.licences.lines());
        if said.is_empty() {
            return Some("says no licence".to_owned());
        }
        let copyleft = said.into_iter().find(|line| COPYLEFT.iter().any(|family| line.contains(family)));
        copyleft.map(|line| format!("is under {}", line.trim()))
    }
}

fn is_licence(file: &str) -> bool {
    let file = file.to_lowercase();
    ["licen", "copying"].iter().any(|start| file.starts_with(start)) && file != "licenses"
}

fn below(folder: &Path) -> Vec<PathBuf> {
    fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()).collect()
}

/// The packages in the Python environment of a tool.
fn installed(tool: &str) -> BTreeMap<String, Package> {
    let versions = below(&root().join("target/tools").join(tool).join("lib"));
    let packages = versions.iter().flat_map(|version| below(&version.join("site-packages")));
    packages.filter_map(|folder| Package::read(&folder)).collect()
}

#[test]
fn python_packages_are_pinned_and_none_is_under_the_agpl() {
    let lists = files("requirements.txt");
    assert!(lists.len() > 1, "too few lists found: {lists:?}");
    let names = |list: &PathBuf| pinned(&fs::read_to_string(list).expect("readable"));
    for list in &lists {
        let names = names(list);
        assert!(names.is_ok(), "{}: not one version: {names:?}", list.display());
    }
    testkit::needs!(Schemathesis, S3Emulators);
    for list in &lists {
        let tool = list.parent().and_then(Path::file_name).expect("a folder").to_string_lossy();
        let installed = installed(&tool);
        // What checks the workflows is installed where they are checked.
        if installed.is_empty() {
            continue;
        }
        for name in names(list).expect("pins") {
            let Some(package) = installed.get(&name) else { panic!("{tool}: {name} is not installed") };
            assert_eq!(package.wrong(), None, "{tool}: {name}");
        }
    }
}

#[test]
fn artifacts_of_maven_are_of_groups_whose_licence_is_known() {
    let poms = files("pom.xml");
    assert!(poms.len() > 1, "too few found: {poms:?}");
    for pom in poms {
        let text = fs::read_to_string(&pom).expect("readable");
        let (_, dependencies) = text.split_once("<dependencies>").expect("dependencies");
        let groups: Vec<&str> = dependencies
            .split("<groupId>")
            .skip(1)
            .filter_map(|rest| rest.split_once("</groupId>"))
            .map(|(group, _)| group)
            .collect();
        assert!(!groups.is_empty(), "{}", pom.display());
        let unknown: Vec<_> =
            groups.iter().filter(|group| !GROUPS.iter().any(|(known, _)| known == *group)).collect();
        assert!(unknown.is_empty(), "{}: add their licence to GROUPS: {unknown:?}", pom.display());
    }
    let copyleft = GROUPS.iter().find(|(_, licence)| COPYLEFT.iter().any(|family| licence.contains(family)));
    assert_eq!(copyleft, None);
}

#[test]
fn each_guard_finds_what_it_is_for() {
    assert_eq!(
        pinned("# a comment\nPyYAML==6.0.4\njsonschema_rs==1\n"),
        Ok(vec!["pyyaml".to_owned(), "jsonschema-rs".to_owned()])
    );
    assert_eq!(pinned("requests>=2\n"), Err("requests>=2".to_owned()));
    let says = |metadata: &str, licences: &str| {
        let metadata = format!("Name: x\n{metadata}\n\nLicense: AGPL in its description\n");
        Package { metadata, licences: licences.to_owned() }.wrong()
    };
    assert_eq!(says("License-Expression: MIT", ""), None);
    assert_eq!(says("Classifier: License :: OSI Approved :: Mozilla Public License 2.0 (MPL 2.0)", ""), None);
    assert_eq!(says("License-File: LICENSE", "MIT License\n"), None);
    assert_eq!(says("Version: 1", ""), Some("says no licence".to_owned()));
    assert!(says("License: AGPL-3.0-only", "").is_some());
    assert!(
        says("Classifier: License :: OSI Approved :: GNU Affero General Public License v3", "").is_some()
    );
    assert!(says("License-File: LICENSE", "  GNU AFFERO GENERAL PUBLIC LICENSE\n").is_some());
}
