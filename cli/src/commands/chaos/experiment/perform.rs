//! Performs an experiment: its passes, what they found as curves, and the report. Whatever happens, automation is as it
//! was, and the crowd leaves.

use std::{fs, path::Path};

use anyhow::{Context as _, Result};
use tokio_util::sync::CancellationToken;

use super::{
    curve::curve,
    file::Experiment,
    hands::Hands,
    pass::{Ending, Pass, Stage, longest},
    report::{Measured, Report},
};
use crate::{
    commands::chaos::eyes::Eyes,
    installation::Installation,
    signals::{self, Hangup},
};

/// Cancelled by Ctrl-C, so that what was begun is ended.
pub(super) fn until_stopped() -> CancellationToken {
    let stop = CancellationToken::new();
    let words = "\nending what was begun";
    tokio::spawn(signals::listen(stop.clone(), CancellationToken::new(), Hangup::Ends, words));
    stop
}

/// Runs an experiment; ends early, in order, if `stop` is cancelled.
///
/// # Errors
/// When a part of the lab that is needed does not answer, or a step cannot be taken back.
pub(super) async fn perform(
    place: &Installation,
    experiment: &Experiment,
    stop: &CancellationToken,
) -> Result<Report> {
    let hands = match &experiment.automation {
        None => None,
        Some(automation) => Some(Hands::of(place, automation).await?),
    };
    let eyes = Eyes::of(place).await?;
    let crowd = experiment.crowd.as_ref().map(|crowd| crowd.come(place, longest(experiment))).transpose()?;
    let stage = Stage { place, eyes, hands, experiment, stop: stop.clone() };
    let passes = both(&stage).await;
    // Even after a failure, automation is as it was.
    if let Some(hands) = &stage.hands {
        hands.put_back().await?;
    }
    let passes = passes?;
    if let Some(crowd) = crowd {
        crowd.leave().await?;
    }
    let mut measures = Vec::new();
    for measure in &experiment.measures {
        let mut curves = Vec::new();
        for pass in passes.iter().filter(|pass| pass.ending != Ending::Invalid) {
            curves.push(curve(stage.eyes.prometheus(), measure, pass).await?);
        }
        measures.push(Measured { name: measure.name.clone(), least: measure.least, curves });
    }
    Ok(Report::of(experiment, passes, measures))
}

/// The passes; the second one only if the first has left everything steady.
async fn both(stage: &Stage<'_>) -> Result<Vec<Pass>> {
    let first = stage.pass(None).await?;
    let next = first.ending == Ending::Steady && !stage.stop.is_cancelled();
    let mut passes = vec![first];
    if let Some(pair) = stage.experiment.pair.as_ref().filter(|_| next) {
        passes.push(stage.pass(Some(pair)).await?);
    }
    Ok(passes)
}

/// Writes a page and its pictures, named like the experiment.
///
/// # Errors
/// When the folder cannot be created, or a file cannot be written.
pub(super) fn write(folder: &Path, stem: &str, page: &str, pictures: &[String]) -> Result<()> {
    fs::create_dir_all(folder).with_context(|| format!("cannot create {}", folder.display()))?;
    let keep = |name: String, text: &str| {
        let path = folder.join(name);
        fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))
    };
    for (number, picture) in pictures.iter().enumerate() {
        keep(format!("{stem}-{}.svg", number + 1), picture)?;
    }
    keep(format!("{stem}.md"), page)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_lies_beside_its_pictures() {
        let folder = tempfile::tempdir().unwrap();
        let into = folder.path().join("docs/drills");
        write(&into, "breaker", "# A page\n", &["<svg/>".to_owned(), "<svg></svg>".to_owned()]).unwrap();
        let read = |name: &str| fs::read_to_string(into.join(name)).unwrap();
        assert_eq!(read("breaker.md"), "# A page\n");
        assert_eq!(
            (read("breaker-1.svg"), read("breaker-2.svg")),
            ("<svg/>".to_owned(), "<svg></svg>".to_owned())
        );
    }
}
