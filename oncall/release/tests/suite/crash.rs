//! The room is killed at every point of a release: no commit is made twice, and it ends the same.

use release::{
    Run,
    run::{Event, How},
};

use crate::world::{World, steady};

#[test]
fn a_release_that_is_killed_anywhere_makes_each_commit_once_and_ends_the_same() {
    for (failures, how, commits) in [(0, How::Released, 4), (50, How::RolledBack, 2)] {
        let mut whole = World::new(Box::new(steady(failures)));
        let expected = whole.release().expect("nobody kills it");
        assert_eq!((expected.how, whole.repository.len()), (how, commits));
        let mut killed = 0;
        for fuel in 0.. {
            let mut world = World::new(Box::new(steady(failures)));
            world.fuel = fuel;
            if world.release().is_ok() {
                break;
            }
            killed += 1;
            world.fuel = usize::MAX;
            let end = world.release().expect("nobody kills it again");
            assert_eq!(end.how, expected.how, "killed after {fuel}");
            let keys =
                |world: &World<'_>| world.repository.iter().map(|made| made.key.clone()).collect::<Vec<_>>();
            assert_eq!(keys(&world), keys(&whole), "killed after {fuel}");
        }
        assert!(killed > 10, "only {killed} points to be killed at");
    }
}

#[test]
fn events_are_the_same_after_they_were_kept() {
    let mut world = World::new(Box::new(steady(50)));
    world.release().expect("nobody kills it");
    let text = world.journal.iter().map(|event| serde_json::to_string(event).expect("JSON"));
    let back: Vec<Event> = text.map(|line| serde_json::from_str(&line).expect("an event")).collect();
    let (one, other) = (Run::replay(&world.journal).unwrap(), Run::replay(&back).unwrap());
    assert_eq!(one.next(world.now), other.next(world.now));
    assert_eq!(one.exposed(), other.exposed());
    assert_eq!(one.passed().len(), other.passed().len());
}
