//! What holds on every page: nothing that keeps people from using it, nothing wider than the window, nothing that moves without
//! being news.

use std::sync::LazyLock;

use serde_json::{Value, json};
use testkit::eventually;

use crate::{Browser, SOON};

/// axe-core (<https://github.com/dequelabs/axe-core>).
static AXE: LazyLock<String> = LazyLock::new(|| std::fs::read_to_string(testkit::axe()).unwrap());

/// The findings that matter, each with the first elements that have it.
const JUDGE: &str = "
const done = arguments[arguments.length - 1];
const line = (found) => `${found.impact} ${found.id}: ${found.help}\\n` + found.nodes.slice(0, 3)
  .map((node) => `    ${node.target.join(' ')}  ${node.any.concat(node.all, node.none).map((check) => check.message).join('; ')}`).join('\\n');
axe.run(document, { resultTypes: ['violations'] }).then(
  (result) => done(result.violations.filter((found) => ['serious', 'critical'].includes(found.impact)).map(line)),
  (error) => done([String(error)]));
";

/// By how much the page is wider than the window, and the innermost elements that stick out.
const WIDE: &str = "
const root = document.documentElement, most = root.clientWidth;
if (root.scrollWidth <= most) return [];
const scrolls = (one) => one && one !== document.body && (getComputedStyle(one).overflowX !== 'visible' || scrolls(one.parentElement));
const out = [...document.body.querySelectorAll('*')]
  .filter((one) => one.getBoundingClientRect().right > most + 1 && !scrolls(one.parentElement));
const inner = out.filter((one) => !out.some((other) => other !== one && one.contains(other)));
return [`${root.scrollWidth - most} px wider than ${most}`, ...inner.slice(0, 5).map((one) => one.outerHTML.slice(0, 160))];
";

/// Everything that moved until the page has been refreshed that many times, without somebody who pressed a key.
const SHIFTS: &str = "
const [refreshes, done] = arguments;
let [sum, seen] = [0, 0];
const moved = [];
const add = (entries) => {
  for (const entry of entries.filter((one) => !one.hadRecentInput)) {
    sum += entry.value;
    for (const { node } of entry.sources) moved.push(`${entry.value.toFixed(4)} ${(node?.outerHTML ?? node?.textContent ?? '').slice(0, 120)}`);
  }
};
const observer = new PerformanceObserver((list) => add(list.getEntries()));
observer.observe({ type: 'layout-shift' });
const before = document.body.innerText;
document.addEventListener('htmx:after:swap', () => {
  seen += 1;
  if (seen !== refreshes) return;
  // Two frames later everything is painted.
  requestAnimationFrame(() => requestAnimationFrame(() => {
    add(observer.takeRecords());
    done({ sum, moved: moved.slice(0, 10), changed: document.body.innerText !== before });
  }));
});
";

/// Whether everything that the script draws is drawn.
const DRAWN: &str = "
const near = (one) => { const box = one.getBoundingClientRect(); return box.bottom > 0 && box.top < innerHeight; };
const charts = [...document.querySelectorAll('figure[data-chart]')].filter(near);
return document.readyState === 'complete' && charts.every((one) => one.querySelector('.uplot, .note'));
";

/// Waits until the page and its curves are drawn.
pub async fn drawn(browser: &Browser) {
    eventually(SOON, || async {
        if browser.run(DRAWN, &[]).await == true { Ok(()) } else { Err(browser.place().await) }
    })
    .await;
}

/// The height of the whole page, in pixels.
pub async fn height(browser: &Browser) -> u32 {
    let height = browser.run("return document.documentElement.scrollHeight;", &[]).await;
    height.as_u64().and_then(|height| u32::try_from(height).ok()).unwrap_or_default()
}

/// The status with which the page was answered.
pub async fn status(browser: &Browser) -> Value {
    browser.run("return performance.getEntriesByType('navigation')[0].responseStatus;", &[]).await
}

/// What keeps people from using the page: the serious and critical findings.
pub async fn barriers(browser: &Browser) -> Vec<String> {
    browser.run(&AXE, &[]).await;
    texts(&browser.run_async(JUDGE, &[]).await)
}

/// What makes the page wider than the window.
pub async fn overflow(browser: &Browser) -> Vec<String> {
    texts(&browser.run(WIDE, &[]).await)
}

/// How much the layout shifts during some refreshes: `sum`, the elements that `moved`, and whether any text `changed`.
pub async fn shifts(browser: &Browser, refreshes: u32) -> Value {
    browser.run_async(SHIFTS, &[json!(refreshes)]).await
}

fn texts(list: &Value) -> Vec<String> {
    list.as_array().into_iter().flatten().map(|text| text.as_str().unwrap_or_default().to_owned()).collect()
}
