use std::{
    pin::pin,
    task::{Context, Poll, Waker},
};

use super::*;
use crate::{
    Plan, Policy,
    run::{Event, How, STEPS},
};

/// Answers at once, and keeps what was put.
struct Calm {
    budget: Option<f64>,
    overtaken: Option<&'static str>,
    refuses: bool,
    stand: Stand,
}

impl Calm {
    fn new() -> Self {
        Self { budget: Some(0.5), overtaken: None, refuses: false, stand: Stand::Settled }
    }
}

impl World for Calm {
    type Error = String;

    async fn budgets(&self, _run: &Run) -> Vec<Budget> {
        vec![Budget { slo: "order-availability".to_owned(), remaining: self.budget }]
    }

    async fn overtaken(&self, _run: &Run) -> Result<Option<String>, String> {
        Ok(self.overtaken.map(str::to_owned))
    }

    async fn put(&self, _run: &Run, key: &str, _: &Change, _: &str) -> Result<Option<String>, String> {
        if self.refuses { Err("no room".to_owned()) } else { Ok(Some(key.to_owned())) }
    }

    async fn standing(&self, _run: &Run) -> Result<Stand, String> {
        Ok(self.stand.clone())
    }

    async fn look(&self, _run: &Run) -> Result<Option<Block>, String> {
        Ok(None)
    }
}

fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_700_000_000 + seconds, 0).unwrap()
}

fn begun() -> Run {
    let text = str::to_owned;
    let plan = Plan {
        id: text("rel-1"),
        service: text("order-api"),
        old: text("v1"),
        new: text("v2"),
        steps: STEPS.to_vec(),
        policy: Policy::default(),
        by: text("ada"),
        why: text("faster orders"),
        over: None,
        written: None,
    };
    Run::start(&What::Started { plan: Box::new(plan) }.at(at(0))).unwrap()
}

fn now(world: &Calm, run: &Run, seconds: i64) -> Turn {
    let turn = pin!(turn(world, run, at(seconds)));
    match turn.poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(turn) => turn.unwrap(),
        Poll::Pending => panic!("a world that answers at once"),
    }
}

fn apply(run: &mut Run, what: What, seconds: i64) {
    run.apply(&Event { at: at(seconds), what }).unwrap();
}

fn recorded(turn: Turn) -> What {
    match turn {
        Turn::Record(what) => *what,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_step_is_put_and_in_force_and_watched() {
    let (mut world, mut run) = (Calm::new(), begun());
    let key = "rel-1/step-1".to_owned();
    let put = recorded(now(&world, &run, 1));
    assert_eq!(put, What::Committed { key: key.clone(), commit: Some(key) });
    apply(&mut run, put, 1);
    world.stand = Stand::Waits;
    assert_eq!(now(&world, &run, 2), Turn::Wait(SOON));
    world.stand = Stand::Settled;
    let settled = recorded(now(&world, &run, 3));
    assert_eq!(settled, What::Settled);
    apply(&mut run, settled, 3);
    assert_eq!(now(&world, &run, 4), Turn::Wait(PERIOD), "nobody sent a request");
    world.stand = Stand::Failed("it crashes".to_owned());
    assert_eq!(recorded(now(&world, &run, 5)), What::Failed { why: "it crashes".to_owned() });
}

#[test]
fn what_cannot_be_put_and_what_somebody_else_changed_ends_the_release() {
    let (mut world, mut run) = (Calm::new(), begun());
    world.refuses = true;
    let refused = recorded(now(&world, &run, 1));
    assert_eq!(refused, What::Failed { why: "no room".to_owned() });
    world.overtaken = Some("order-api runs v7");
    assert_eq!(recorded(now(&world, &run, 1)), What::Failed { why: "order-api runs v7".to_owned() });
    // On the way back, what came after the release stays.
    apply(&mut run, refused, 1);
    let stays = recorded(now(&world, &run, 2));
    assert_eq!(stays, What::Failed { why: "what came after it is not taken back".to_owned() });
    apply(&mut run, stays, 2);
    assert_eq!(run.end().unwrap().how, How::Stuck);
    assert_eq!(now(&world, &run, 3), Turn::Over);
}

#[test]
fn budgets_hold_up_no_first_step_and_no_way_back() {
    let (mut world, mut run) = (Calm::new(), begun());
    world.budget = Some(-1.0);
    assert!(matches!(recorded(now(&world, &run, 1)), What::Committed { .. }), "asked before it began");
    apply(&mut run, What::Aborted { by: "ada".to_owned(), why: "no".to_owned() }, 2);
    assert!(matches!(recorded(now(&world, &run, 3)), What::Committed { .. }), "the way back is open");
}
