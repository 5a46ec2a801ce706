//! No circle of files: fails if files of different modules of a crate use each other, so that a reader cannot
//! begin with any of them. A module and the files inside it may. What a file uses is read from its paths, through `use`
//! and re-exports; methods are not followed.

mod source;

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use source::File;

/// Circles that are meant: the crate, its files, and the decision that explains them.
const MEANT: &[(&str, &[&str], &str)] = &[(
    "oncall/control-room",
    &["access/visitor", "actions", "drills", "duty", "notify", "releases", "room", "runbooks", "watch"],
    "docs/adr/0062-circles-of-files.md",
)];

/// The path of a module within its crate; that of the crate itself is empty.
type Module = Vec<String>;
type Files = BTreeMap<Module, File>;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize().expect("the workspace root")
}

/// The folders of crates, below `folder`.
fn crates(folder: &Path, found: &mut Vec<PathBuf>) {
    let skipped = ["target", "node_modules", "src"];
    for entry in fs::read_dir(folder).expect("a readable folder").flatten() {
        let (path, name) = (entry.path(), entry.file_name().to_string_lossy().into_owned());
        if !path.is_dir() || path.is_symlink() || name.starts_with('.') || skipped.contains(&name.as_str()) {
            continue;
        }
        if path.join("Cargo.toml").is_file() && path.join("src").is_dir() {
            found.push(path.clone());
        }
        crates(&path, found);
    }
}

/// The modules below a folder, without those of tests.
fn modules(folder: &Path, above: &Module, found: &mut Vec<(Module, PathBuf)>) {
    for entry in fs::read_dir(folder).expect("a readable folder").flatten() {
        let path = entry.path();
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        if name == "tests" || (above.is_empty() && name == "bin") {
            continue;
        }
        let own: Module = above.iter().cloned().chain([name.clone()]).collect();
        if path.is_dir() {
            modules(&path, &own, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            match name.as_str() {
                "mod" => found.push((above.clone(), path)),
                // The program, where there is a library too.
                "main" if above.is_empty() && folder.join("lib.rs").is_file() => {}
                "lib" | "main" if above.is_empty() => found.push((Module::new(), path)),
                _ => found.push((own, path)),
            }
        }
    }
}

fn read(folder: &Path) -> Files {
    let mut found = Vec::new();
    modules(&folder.join("src"), &Module::new(), &mut found);
    let text = |path: &Path| fs::read_to_string(path).expect("a readable source file");
    found.into_iter().map(|(module, path)| (module, File::read(&text(&path)))).collect()
}

/// The module in which a path of `module` begins, and the rest of the path; nothing for a path of another crate.
fn begin(files: &Files, module: &Module, path: &[String]) -> Option<(Module, Vec<String>)> {
    let inside = &files.get(module)?.inside;
    match path.first()?.as_str() {
        "crate" => Some((Module::new(), path[1..].to_vec())),
        "self" => Some((module.clone(), path[1..].to_vec())),
        "super" => {
            let up = path.iter().take_while(|part| part.as_str() == "super").count();
            let above = module.len().checked_sub(up)?;
            Some((module[..above].to_vec(), path[up..].to_vec()))
        }
        first if inside.contains(first) => Some((module.clone(), path.to_vec())),
        _ => None,
    }
}

/// The module that defines what a path leads to; `most` steps are taken.
fn follow(files: &Files, module: &Module, path: &[String], most: usize) -> Option<Module> {
    let (file, first) = (files.get(module)?, path.first()?);
    let most = most.checked_sub(1)?;
    if file.inside.contains(first) {
        let inner: Module = module.iter().cloned().chain([first.clone()]).collect();
        return follow(files, &inner, &path[1..], most);
    }
    if file.defines.contains(first) {
        return Some(module.clone());
    }
    if let Some(meant) = file.names.get(first) {
        let (from, rest) = begin(files, module, meant)?;
        return follow(files, &from, &[&rest[..], &path[1..]].concat(), most);
    }
    file.globs.iter().find_map(|glob| {
        let (from, rest) = begin(files, module, glob)?;
        follow(files, &from, &[&rest[..], path].concat(), most)
    })
}

/// The modules that each one uses, without those that it is inside of, and those inside it.
fn edges(files: &Files) -> BTreeMap<&Module, BTreeSet<Module>> {
    let used = |module: &Module, file: &File| -> BTreeSet<Module> {
        let targets = file.written().into_iter().filter_map(|path| {
            let (from, rest) = begin(files, module, &path)?;
            follow(files, &from, &rest, 16)
        });
        targets.filter(|target| !target.starts_with(module) && !module.starts_with(target)).collect()
    };
    files.iter().map(|(module, file)| (module, used(module, file))).collect()
}

/// What a module uses, directly or through others.
fn reached<'f>(edges: &'f BTreeMap<&'f Module, BTreeSet<Module>>, from: &Module) -> BTreeSet<&'f Module> {
    let mut found = BTreeSet::new();
    let mut next: Vec<&Module> = edges.get(from).into_iter().flatten().collect();
    while let Some(module) = next.pop() {
        if found.insert(module) {
            next.extend(edges.get(module).into_iter().flatten());
        }
    }
    found
}

/// The circles of a crate: the names of the files of each, and what in it uses what.
fn circles(files: &Files) -> BTreeMap<Vec<String>, Vec<String>> {
    let edges = edges(files);
    let reach: BTreeMap<&Module, BTreeSet<&Module>> =
        files.keys().map(|module| (module, reached(&edges, module))).collect();
    let mut all = BTreeMap::new();
    for (module, far) in reach.iter().filter(|(module, far)| far.contains(*module)) {
        let returns = |other: &Module| reach.get(other).is_some_and(|back| back.contains(module));
        let circle: BTreeSet<&Module> = far.iter().copied().filter(|other| returns(other)).collect();
        let mut arrows: Vec<String> = Vec::new();
        for from in &circle {
            let used = edges.get(*from).into_iter().flatten().filter(|to| circle.contains(to));
            arrows.extend(used.map(|to| format!("{} -> {}", from.join("/"), to.join("/"))));
        }
        all.insert(circle.iter().map(|module| module.join("/")).collect(), arrows);
    }
    all
}

#[test]
fn files_use_each_other_in_circles_only_where_a_decision_says_why() {
    let mut folders = Vec::new();
    crates(&root(), &mut folders);
    assert!(folders.len() > 30, "too few crates found: {folders:?}");
    let (mut wrong, mut kept) = (Vec::new(), BTreeSet::new());
    for folder in folders {
        let name = folder.strip_prefix(root()).expect("below the root").to_string_lossy().into_owned();
        for (circle, arrows) in circles(&read(&folder)) {
            match MEANT.iter().position(|(krate, files, _)| *krate == name && *files == circle) {
                Some(meant) => {
                    kept.insert(meant);
                }
                None => wrong.push(format!("{name}/src: {}", arrows.join(", "))),
            }
        }
    }
    for (index, (krate, _, decision)) in MEANT.iter().enumerate() {
        if !kept.contains(&index) {
            wrong.push(format!("{krate} has no such circle any more: correct MEANT"));
        }
        if !root().join(decision).is_file() {
            wrong.push(format!("there is no {decision}"));
        }
    }
    assert!(wrong.is_empty(), "move what both need to a file of its own:\n{}", wrong.join("\n"));
}

#[test]
fn a_circle_is_found_through_re_exports_and_not_between_a_module_and_what_is_inside_it() {
    let module = |path: &str| -> Module {
        path.split('/').filter(|part| !part.is_empty()).map(str::to_owned).collect()
    };
    let files = |texts: &[(&str, &str)]| -> Files {
        texts.iter().map(|(path, text)| (module(path), File::read(text))).collect()
    };
    let with = |b: &str| {
        let shelf = [("", "mod a; mod b; pub use b::B;"), ("a", "use crate::B; struct A(B);"), ("b", b)];
        circles(&files(&shelf))
    };
    let found = with("use super::a::{self, A as C}; struct B(C); fn f() { a::g() }");
    assert_eq!(found.keys().flatten().collect::<Vec<_>>(), ["a", "b"]);
    assert_eq!(found.values().flatten().collect::<Vec<_>>(), ["a -> b", "b -> a"]);
    assert!(with("struct B; // crate::a::A").is_empty());
    assert!(with("struct B; const TEXT: &str = \"crate::a::A\";").is_empty());
    assert!(with("struct B;\n#[cfg(test)]\nmod tests { use crate::a::A; fn f(_: A) {} }").is_empty());
    let inner = [("", "mod a;"), ("a", "mod b; use b::B; struct A(B);"), ("a/b", "struct B(super::A);")];
    assert!(circles(&files(&inner)).is_empty());
}
