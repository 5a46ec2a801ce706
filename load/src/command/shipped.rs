//! The scenarios of `load/scenarios`, built into the program.

/// Name and text of each scenario.
pub const SHIPPED: &[(&str, &str)] = &[
    ("average", include_str!("../../scenarios/average.yaml")),
    ("black-friday", include_str!("../../scenarios/black-friday.yaml")),
    ("breakpoint", include_str!("../../scenarios/breakpoint.yaml")),
    ("sandbox", include_str!("../../scenarios/sandbox.yaml")),
    ("smoke", include_str!("../../scenarios/smoke.yaml")),
    ("soak", include_str!("../../scenarios/soak.yaml")),
    ("soak-hour", include_str!("../../scenarios/soak-hour.yaml")),
    ("spike", include_str!("../../scenarios/spike.yaml")),
    ("stress", include_str!("../../scenarios/stress.yaml")),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_is_built_in_and_can_be_read() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/scenarios");
        let mut files: Vec<String> = std::fs::read_dir(folder)
            .unwrap()
            .filter_map(|entry| entry.unwrap().file_name().to_str()?.strip_suffix(".yaml").map(str::to_owned))
            .collect();
        files.sort();
        assert_eq!(files, SHIPPED.iter().map(|(name, _)| *name).collect::<Vec<_>>());
        let readme = include_str!("../../README.md");
        for (name, text) in SHIPPED {
            assert!(readme.contains(&format!("\n| `{name}` | ")), "load/README.md describes {name}");
            let scenario = crate::scenario::read(&format!("{name}.yaml"), text);
            let scenario = scenario.unwrap_or_else(|problems| panic!("{problems}"));
            assert_eq!(scenario.name, *name);
            assert!(!scenario.description.contains('\n') && !scenario.thresholds.is_empty(), "{name}");
        }
    }
}
