use chrono::Utc;

use super::{KEPT, Page, PageKind, Phone};
use crate::{
    bus::{Bus, Kind},
    store::Store,
};

async fn phone() -> (Store, Bus, Phone) {
    let (store, bus) = (Store::open(None).await.unwrap(), Bus::default());
    let phone = Phone::open(&store, &bus).await.unwrap();
    (store, bus, phone)
}

fn message(text: &str) -> Page {
    let text = Some(text.to_owned());
    Page { received_at: Utc::now(), kind: PageKind::Message, text, ..Page::default() }
}

#[tokio::test]
async fn a_page_is_kept_with_a_number_and_told() {
    let (_, bus, phone) = phone().await;
    let mut news = bus.listen();
    phone.keep(message("one")).await.unwrap();
    phone.keep(message("two")).await.unwrap();
    let pages = phone.after(1, 10).await.unwrap();
    assert_eq!(pages.len(), 1);
    assert_eq!((pages[0].id, pages[0].text.as_deref()), (2, Some("two")));
    assert_eq!(phone.after(0, 1).await.unwrap()[0].text.as_deref(), Some("one"));
    let told = news.recv().await.unwrap();
    assert_eq!((told.kind, &told.data["id"], &told.data["kind"]), (Kind::Page, &1.into(), &"message".into()));
}

#[tokio::test]
async fn the_oldest_pages_are_forgotten() {
    let (store, bus, phone) = phone().await;
    phone.keep(message("first")).await.unwrap();
    let mut writing = store.begin().await.unwrap();
    let last = "UPDATE sqlite_sequence SET seq = ? WHERE name = 'phone'";
    sqlx::query(last).bind(KEPT).execute(&mut *writing).await.unwrap();
    writing.commit(&bus).await.unwrap();
    phone.keep(message("last")).await.unwrap();
    let pages = phone.after(0, 10).await.unwrap();
    assert_eq!(pages.iter().map(|page| page.id).collect::<Vec<_>>(), [KEPT + 1]);
}
