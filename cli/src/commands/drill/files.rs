//! The files of the drills in the checkout: what each states. The control room has them too, but gives the
//! truth to nobody before a run is over, and a verification is compared with what the file says.

use std::{collections::BTreeMap, fs, path::Path};

use anyhow::{Context as _, Result, bail};
use drill::Drill;

/// Reads every drill of a checkout, by name.
///
/// # Errors
/// When a file cannot be read, or is wrong: every problem with file, line and field.
pub(crate) fn all(root: &Path) -> Result<BTreeMap<String, Drill>> {
    let folder = root.join("drills");
    let entries = fs::read_dir(&folder).with_context(|| format!("cannot read {}", folder.display()))?;
    let mut drills = BTreeMap::new();
    for entry in entries {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "yaml") {
            let drill = read(&path)?;
            drills.insert(drill.id.clone(), drill);
        }
    }
    if drills.is_empty() {
        bail!("{} has no drill (*.yaml)", folder.display());
    }
    Ok(drills)
}

fn read(path: &Path) -> Result<Drill> {
    let text = fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    Ok(drill::read(&path.to_string_lossy(), &text)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_drill_of_the_checkout_is_read_by_its_name() {
        let drills = all(&Path::new(env!("CARGO_MANIFEST_DIR")).join("..")).unwrap();
        assert!(drills.contains_key("first-page") && drills.len() >= 40, "{}", drills.len());
        let nowhere = all(Path::new("/nowhere")).unwrap_err();
        assert!(nowhere.to_string().contains("/nowhere/drills"), "{nowhere}");
    }
}
