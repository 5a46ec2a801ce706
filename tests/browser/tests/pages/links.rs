//! Every link of every page leads to something that is there.

use std::collections::{BTreeMap, BTreeSet};

use browser::{Room, pages::PAGES, run};
use reqwest::Client;
use url::Url;

/// Most links to one path that are followed: curves and boards link to it with hundreds of queries.
const EACH: usize = 3;

/// Where links lead, as whom they are followed, and the parts that they name, each with the page that has the link.
#[derive(Default)]
struct Links {
    targets: BTreeMap<(bool, Url), BTreeSet<(String, &'static str)>>,
    followed: BTreeMap<(bool, String), usize>,
}

impl Links {
    fn add(&mut self, instructor: bool, from: &'static str, mut to: Url) {
        let part = to.fragment().unwrap_or_default().to_owned();
        to.set_fragment(None);
        let path = (instructor, to.path().to_owned());
        let target = (instructor, to);
        if !self.targets.contains_key(&target) {
            let followed = self.followed.entry(path).or_default();
            if *followed == EACH {
                return;
            }
            *followed += 1;
        }
        self.targets.entry(target).or_default().insert((part, from));
    }
}

/// Status and text, after redirects.
async fn fetch(client: &Client, url: &Url, instructor: bool) -> (u16, String) {
    let role = if instructor { "instructor" } else { "trainee" };
    let answer = client.get(url.clone()).header("x-role", role).send().await;
    let answer = answer.unwrap_or_else(|error| panic!("{url}: {error}"));
    let status = answer.status().as_u16();
    (status, answer.text().await.unwrap_or_else(|error| panic!("{url}: {error}")))
}

/// The links of a page to its own site.
fn links(page: &Url, text: &str) -> Vec<Url> {
    let written = text.split(" href=\"").skip(1).filter_map(|rest| rest.split('"').next());
    let plain = |href: &str| {
        href.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&amp;", "&")
    };
    let whole = written.filter_map(|href| page.join(&plain(href)).ok());
    whole.filter(|url| url.origin() == page.origin()).collect()
}

#[test]
fn every_link_of_every_page_leads_to_something_that_is_there() {
    run(async {
        let base = Url::parse(&Room::shared().await.base).unwrap();
        let client = Client::builder().no_proxy().build().unwrap();
        let mut found = Links::default();
        for page in PAGES {
            let url = base.join(page.path).unwrap();
            let (status, text) = fetch(&client, &url, page.instructor).await;
            assert_eq!(status, page.status, "{}", page.path);
            // A refusal leads back to where it was asked for, which is what does not exist.
            let leads = if status == 200 { links(&url, &text) } else { Vec::new() };
            for link in leads {
                found.add(page.instructor, page.path, link);
            }
        }
        assert!(found.targets.len() > 100, "only {} links were found", found.targets.len());
        let mut wrong = Vec::new();
        for ((instructor, url), parts) in &found.targets {
            let (status, text) = fetch(&client, url, *instructor).await;
            for (part, from) in parts {
                if !(200..300).contains(&status) {
                    wrong.push(format!("{from}: {url} answers {status}"));
                } else if !part.is_empty() && !text.contains(&format!("id=\"{part}\"")) {
                    wrong.push(format!("{from}: {url} has no #{part}"));
                }
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    });
}
