//! The tree is the architecture: fails if a crate or module uses one that it must not know. `docs/rooms.yaml` lists
//! which crate may depend on which; the table in `docs/architecture.md` is generated from it.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

/// Services that have a database.
const WITH_DATABASE: &[&str] = &["order-api", "user-service", "order-worker"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize().expect("the workspace root")
}

fn metadata() -> serde_json::Value {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version=1", "--no-deps", "--offline"])
        .current_dir(root())
        .output()
        .expect("cargo metadata runs");
    serde_json::from_slice(&output.stdout).expect("cargo metadata prints JSON")
}

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    entries
        .filter_map(Result::ok)
        .flat_map(|entry| {
            let path = entry.path();
            if path.is_dir() {
                rust_files(&path)
            } else if path.extension().is_some_and(|e| e == "rs") {
                vec![path]
            } else {
                Vec::new()
            }
        })
        .collect()
}

/// Lines of `file` that use one of `words` as the root of a path, such as `sqlx::` or `use axum`.
fn mentions(file: &Path, words: &[&str]) -> Vec<String> {
    let text = fs::read_to_string(file).expect("a readable source file");
    text.lines()
        .enumerate()
        .filter(|(_, line)| !line.trim_start().starts_with("//"))
        .filter(|(_, line)| words.iter().any(|w| names_crate(line, w)))
        .map(|(n, line)| format!("{}:{}: {}", file.display(), n + 1, line.trim()))
        .collect()
}

/// Whether `line` uses `word` as the root of a path; `chassis_http` does not use the crate `http`.
fn names_crate(line: &str, word: &str) -> bool {
    line.match_indices(word).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        let after = &line[at + word.len()..];
        let starts = before.is_none_or(|c| !(c.is_alphanumeric() || c == '_' || c == ':'));
        // A family of crates, by the start of their names.
        let after = if word.ends_with('_') {
            after.trim_start_matches(|c: char| c.is_alphanumeric() || c == '_')
        } else {
            after
        };
        starts
            && (after.starts_with("::")
                || (line.trim_start().starts_with("use ") && after.starts_with([';', ' '])))
    })
}

/// The sources of all services, with and without a database.
fn services() -> Vec<PathBuf> {
    let folders = fs::read_dir(root().join("services")).expect("the services").flatten();
    folders.map(|folder| folder.path().join("src")).filter(|src| src.join("main.rs").is_file()).collect()
}

fn folder_of(service: &str) -> PathBuf {
    root().join("services").join(service).join("src")
}

/// The rooms: which crates of the workspace the crate in each folder may depend on, outside tests.
fn rooms() -> Vec<serde_json::Value> {
    let text = fs::read_to_string(root().join("docs/rooms.yaml")).expect("docs/rooms.yaml");
    serde_saphyr::from_str(&text).expect("a list of rooms")
}

#[test]
fn crates_depend_only_on_the_crates_below_them() {
    let (metadata, rooms) = (metadata(), rooms());
    let packages = metadata["packages"].as_array().expect("packages");
    let names: Vec<&str> = packages.iter().filter_map(|p| p["name"].as_str()).collect();
    let mut wrong = Vec::new();
    for package in packages {
        let name = package["name"].as_str().expect("a name");
        let manifest = Path::new(package["manifest_path"].as_str().expect("a path"));
        let folder = manifest.parent().and_then(|folder| folder.strip_prefix(root()).ok());
        let Some(room) = rooms.iter().find(|room| room["folder"].as_str().map(Path::new) == folder) else {
            wrong.push(format!("{name} is not in docs/rooms.yaml"));
            continue;
        };
        let allowed: Vec<&str> =
            room["uses"].as_array().into_iter().flatten().filter_map(|used| used.as_str()).collect();
        for dependency in package["dependencies"].as_array().expect("dependencies") {
            let to = dependency["name"].as_str().expect("a name");
            let dev = dependency["kind"].as_str() == Some("dev");
            if names.contains(&to) && !dev && !allowed.contains(&to) {
                wrong.push(format!("{name} depends on {to}"));
            }
        }
        for used in allowed {
            let used_here = |d: &serde_json::Value| d["name"] == used && d["kind"].as_str() != Some("dev");
            if !package["dependencies"].as_array().expect("dependencies").iter().any(used_here) {
                wrong.push(format!("{name} does not use {used}: remove it from docs/rooms.yaml"));
            }
        }
    }
    for room in &rooms {
        let folder = room["folder"].as_str().expect("a folder");
        if !root().join(folder).is_dir() {
            wrong.push(format!("docs/rooms.yaml has `{folder}`, which does not exist"));
        }
    }
    assert!(wrong.is_empty(), "dependencies that the architecture forbids:\n{}", wrong.join("\n"));
}

#[test]
fn the_page_shows_the_table() {
    let page = fs::read_to_string(root().join("docs/architecture.md")).expect("docs/architecture.md");
    let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    let missing: Vec<String> = rooms()
        .iter()
        .filter(|room| {
            let row = format!("| `{}` | {} | ", text(&room["folder"]), text(&room["what"]));
            let row = page.lines().find_map(|line| line.strip_prefix(row.as_str()));
            let uses = room["uses"].as_array().into_iter().flatten();
            !row.is_some_and(|row| uses.clone().all(|used| row.contains(&format!("`{}`", text(used)))))
        })
        .map(|room| text(&room["folder"]))
        .collect();
    assert!(
        missing.is_empty(),
        "docs/architecture.md differs from docs/rooms.yaml in {missing:?}; run `just generate pages`"
    );
}

#[test]
fn domains_know_no_framework_word() {
    let forbidden =
        ["axum", "sqlx", "redis", "rdkafka", "chassis_", "reqwest", "tracing_subscriber", "prometheus"];
    // A value and no framework: which fields of an input are wrong.
    let pure = "use chassis_core::Fields;";
    let found: Vec<String> = services()
        .iter()
        .flat_map(|source| rust_files(&source.join("domain")))
        .flat_map(|file| mentions(&file, &forbidden))
        .filter(|found| !found.ends_with(pure))
        .collect();
    assert!(found.is_empty(), "a domain is pure:\n{}", found.join("\n"));
}

#[test]
fn stores_are_reached_from_adapters_only() {
    let forbidden = ["sqlx", "redis", "rdkafka"];
    let mut found = Vec::new();
    for source in services() {
        for file in rust_files(&source) {
            // lib.rs may name sqlx once: the embedded migrations are part of the build.
            let allowed = file.starts_with(source.join("adapters")) || file == source.join("lib.rs");
            if !allowed {
                found.extend(mentions(&file, &forbidden));
            }
        }
    }
    assert!(found.is_empty(), "sqlx, redis and rdkafka live in adapters:\n{}", found.join("\n"));
}

#[test]
fn every_migration_is_embedded() {
    for service in WITH_DATABASE {
        let embedded = fs::read_to_string(folder_of(service).join("lib.rs")).expect("lib.rs");
        let folder = root().join("services").join(service).join("migrations");
        for file in fs::read_dir(folder).expect("migrations").flatten() {
            let path = file.path();
            let name = path.file_stem().and_then(|name| name.to_str()).expect("UTF-8");
            assert!(embedded.contains(&format!("\"{name}\"")), "{service} does not embed {}", path.display());
        }
    }
}

/// Services compose what `chassis-outbox` says about these tables: their columns are known in one place.
#[test]
fn outbox_and_inbox_are_named_by_their_owner_alone() {
    let verbs = ["from", "into", "update", "join", "only"];
    let named = |line: &str| {
        let words: Vec<&str> = line.split(|c: char| !(c.is_alphanumeric() || c == '_')).collect();
        words.windows(2).any(|pair| {
            verbs.contains(&pair[0].to_lowercase().as_str()) && ["outbox", "inbox"].contains(&pair[1])
        })
    };
    let found: Vec<String> = WITH_DATABASE
        .iter()
        .flat_map(|service| rust_files(&folder_of(service)))
        .flat_map(|file| {
            let text = fs::read_to_string(&file).expect("a readable source file");
            text.lines()
                .enumerate()
                .filter(|(_, line)| !line.trim_start().starts_with("//") && named(line))
                .map(|(n, line)| format!("{}:{}: {}", file.display(), n + 1, line.trim()))
                .collect::<Vec<_>>()
        })
        .collect();
    assert!(found.is_empty(), "SQL about a table of chassis-outbox:\n{}", found.join("\n"));
}

/// Words of the shop. `order` alone is a word of sorting and of memory too.
const BUSINESS: &[&str] = &[
    "contracts",
    "customer",
    "invoice",
    "lost-update",
    "lost_update",
    "order-",
    "order_",
    "orders",
    "payment",
    "purchase",
    "revenue",
    "risky",
    "shop",
    "tier",
    "user",
    "wrong-total",
    "wrong_total",
];

/// Harmless words that contain one of them, and examples from the lab in texts that people read.
const INNOCENT: &[&str] = &[
    "user_agent",
    "user-agent",
    "user:password",
    "order_by",
    "`/orders/{id}`",
    "order-api",
    "*.shop.svc",
    "user and system cpu",
];

#[test]
fn the_chassis_knows_no_business_word() {
    let business = |line: &str| {
        let line = INNOCENT.iter().fold(line.to_lowercase(), |line, word| line.replace(word, ""));
        BUSINESS.iter().any(|word| line.contains(word))
    };
    let sources = fs::read_dir(root().join("chassis")).expect("the chassis").flatten();
    let found: Vec<String> = sources
        .flat_map(|package| rust_files(&package.path().join("src")))
        .filter(|file| {
            !file.components().any(|part| part.as_os_str() == "tests" || part.as_os_str() == "tests.rs")
        })
        .flat_map(|file| {
            let text = fs::read_to_string(&file).expect("a readable source file");
            text.lines()
                .enumerate()
                .take_while(|(_, line)| !line.starts_with("mod tests {"))
                .filter(|(_, line)| business(line))
                .map(|(n, line)| format!("{}:{}: {}", file.display(), n + 1, line.trim()))
                .collect::<Vec<_>>()
        })
        .collect();
    assert!(found.is_empty(), "business words in the chassis:\n{}", found.join("\n"));
}

/// A target with `test = false` is not built as a test program, which takes seconds for each; so it must have no test.
#[test]
fn what_is_not_built_as_a_test_program_has_no_tests() {
    let metadata = metadata();
    let mut wrong = Vec::new();
    for package in metadata["packages"].as_array().expect("packages") {
        let targets = package["targets"].as_array().expect("targets");
        for target in targets.iter().filter(|target| target["test"] == false) {
            let main = Path::new(target["src_path"].as_str().expect("a path"));
            let (files, words) = match target["kind"][0].as_str().expect("a kind") {
                "lib" => {
                    (rust_files(main.parent().expect("a folder")), &["#[test]", "::test]", "cfg(test)"][..])
                }
                // A program of one file: what it could share with tests is in its library.
                "bin" => (vec![main.to_owned()], &["#[test]", "::test]", "cfg(test)", "mod "][..]),
                _ => continue,
            };
            for file in files {
                let text = fs::read_to_string(&file).expect("a readable source file");
                let has = |word: &&&str| text.lines().any(|line| line.contains(**word));
                wrong.extend(words.iter().find(has).map(|word| format!("{}: {word}", file.display())));
            }
        }
    }
    assert!(wrong.is_empty(), "remove `test = false` from their Cargo.toml:\n{}", wrong.join("\n"));
}
