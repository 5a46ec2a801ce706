//! The dashboards as Grafana would draw them: `tools/grafana-check` takes them through the code that Grafana publishes.

use anyhow::Result;

use crate::shell::Shell;

/// Judges every dashboard, and proves that the judge can say no.
pub(crate) fn check(shell: &Shell) -> Result<()> {
    if shell.run("tools/grafana-check/install", &[]).is_err() {
        return shell.skip(
            "dashboards as Grafana draws them",
            "the packages cannot be installed: that needs node 18 or later, npm, and npm's registry",
        );
    }
    shell.run("node", &["tools/grafana-check/check.mjs"])?;
    shell.run("node", &["--test", "--test-reporter=spec", "tools/grafana-check/test.mjs"])
}
