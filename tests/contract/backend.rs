//! The contract of job backends. See the promises of [`Backend`].

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use kinora::job::{
    Failure, FailureCode, Finish, Idempotency, Job, JobId, JobRequest, JobState, Lane, ProcessInfo,
    PublicState, Remarks, StoredVideo, StoredVideos, Timestamp, UnstoredVideos, VideoFacts,
};
use kinora::jobs::backend::{
    Acceptance, Attempt, Bounds, Delivery, DueWebhook, JobEvent, JobQuery, Lease, ListedJob,
    NewWebhook, Receivers, Serves, UploadedPhoto, WebhookClaim, WebhookQuery,
};
use kinora::jobs::{AcceptError, Backend, Cancelled};
use kinora::spec::{
    Asset, BadPhotos, Frame, Motion, Move, Output, Scene, Size, Source, Transition, Upload,
    VideoSpec,
};
use serde_json::json;
use tokio::task::spawn_blocking;
use tokio::time::timeout;

/// A backend with a store of its own.
pub trait Harness: Sized {
    async fn new(bounds: Bounds) -> Self;

    fn backend(&self) -> Arc<dyn Backend>;

    /// The holder of all leases dies and the leases lapse: the same store, as a later process or
    /// another node sees it.
    async fn crash(&self) -> Self;
}

/// Runs the whole contract against a harness.
macro_rules! backend_contract {
    ($harness:ty) => {
        crate::backend::backend_contract!($harness:
            an_accepted_job_outlives_the_process,
            a_lane_holds_exactly_its_bound_under_concurrency,
            bounds_hold_while_both_lanes_fill_at_once,
            each_lane_has_a_bound_of_its_own,
            without_a_bound_nothing_is_refused,
            jobs_are_served_express_first_then_in_the_order_of_acceptance,
            positions_follow_the_order_in_which_concurrent_jobs_are_served,
            a_job_whose_process_died_comes_after_its_lanes_others,
            a_released_job_keeps_its_place,
            no_job_is_claimed_twice,
            an_attempt_that_lost_its_job_cannot_renew_finish_or_release_it,
            a_worker_of_the_express_lane_takes_nothing_else,
            a_finished_job_is_told_with_its_outcome,
            progress_is_told_while_a_job_runs,
            a_made_video_frees_its_worker_and_its_job_goes_on,
            a_made_video_outlives_the_process_and_is_not_made_again,
            an_attempt_that_lost_its_job_has_made_nothing,
            a_made_video_that_is_lost_is_made_again,
            a_result_and_its_webhook_are_written_together,
            a_webhook_is_claimed_once_until_its_delivery_is_recorded,
            a_claimed_webhook_is_claimed_again_after_a_crash,
            a_webhook_that_is_to_be_retried_falls_due_later,
            a_delivery_that_is_recorded_late_changes_nothing,
            a_receiver_with_many_webhooks_leaves_room_for_others,
            webhooks_are_claimed_for_some_receivers_or_for_all_but_some,
            no_host_has_more_than_its_share_of_a_claim,
            new_webhooks_are_claimed_by_themselves,
            a_cancelled_job_that_waits_ends_and_leaves_its_place,
            a_cancelled_job_that_runs_is_marked_and_its_worker_told,
            a_cancellation_outlives_the_process,
            a_closed_backend_begins_no_more_jobs,
            states_are_told_of_jobs_that_changed_lately,
            a_request_with_a_key_is_accepted_once,
            jobs_are_listed_by_state_and_page_by_page,
            a_job_whose_files_are_deleted_is_listed_no_more,
            a_job_of_the_same_specification_is_found,
            a_photo_is_there_from_when_it_is_stored_until_it_is_retired,
            a_photo_that_an_unfinished_job_names_is_not_retired,
            no_more_photos_are_begun_than_may_be,
            old_videos_are_told_until_they_are_deleted,
            old_jobs_are_forgotten_with_their_webhooks,
        );
    };
    ($harness:ty: $($test:ident),* $(,)?) => {
        $(
            #[tokio::test(flavor = "multi_thread")]
            async fn $test() {
                crate::backend::$test::<$harness>().await;
            }
        )*
    };
}
pub(crate) use backend_contract;

const BOUNDS: Bounds = Bounds {
    normal: Some(100),
    express: Some(100),
    workers: 2,
};

/// Long enough for anything that is to happen, on a machine that is busy.
const PATIENCE: Duration = Duration::from_secs(30);

pub fn job(lane: Lane) -> Job {
    let photo = Asset {
        label: "image_url".into(),
        source: Source::Url("https://example.com/a.jpg".into()),
    };
    Job::new(JobRequest {
        dialect: "test".into(),
        endpoint: "/here".into(),
        client_id: Some("mine".into()),
        webhook_url: Some("https://example.com/hook".into()),
        lane,
        specs: vec![VideoSpec {
            scenes: vec![Scene::new(photo, Motion::Eased(Move::ZoomIn))],
            transition: Transition::CUT,
            overlays: Vec::new(),
            logo: None,
            soundtrack: None,
            output: Output {
                length: 2.0,
                frame_rate: 25,
                frame: Frame::LikeFirstPhoto,
                thumbnail_at: None,
                max_bytes: None,
            },
            cut_on_beat: false,
            music_volume: 1.0,
            bad_photos: BadPhotos::Fail,
        }],
        dialect_data: Some(json!({ "mine": [1] })),
    })
}

pub fn finish() -> Finish {
    Finish {
        at: Timestamp::now(),
        outcome: Ok(StoredVideos {
            first: StoredVideo {
                facts: facts(),
                url: None,
                thumbnail_url: None,
            },
            others: Vec::new(),
            storage: Some("s3://films/here".into()),
            content_hash: None,
            remarks: Remarks::default(),
        }),
        process: ProcessInfo {
            node: "one".into(),
            pid: 1,
            queue_id: 2,
            queue_length: 3,
        },
    }
}

fn facts() -> VideoFacts {
    VideoFacts {
        size: Size {
            width: 1920,
            height: 1080,
        },
        frames: 50,
        frame_rate: 25,
        bytes: 9,
        has_thumbnail: true,
    }
}

fn unstored(attempt: Attempt) -> UnstoredVideos {
    UnstoredVideos {
        name: format!("{}.{}", attempt.job, attempt.number),
        first: facts(),
        others: vec![facts()],
        content_hash: None,
        remarks: Remarks::default(),
        made_at: Timestamp(1_700_000_000_000),
    }
}

fn cancelled() -> Finish {
    let failure = Failure::new(FailureCode::Cancelled, "the job was cancelled");
    Finish {
        outcome: Err(failure),
        ..finish()
    }
}

pub fn webhook(host: &str) -> NewWebhook {
    NewWebhook {
        url: format!("https://{host}/hook"),
        body: b"{}".to_vec(),
        delay: Duration::ZERO,
    }
}

async fn accepted(backend: &Arc<dyn Backend>, lane: Lane) -> JobId {
    let job = job(lane);
    backend.accept(&job, None).await.expect("an acceptance");
    job.id
}

async fn claim(backend: &Arc<dyn Backend>, serves: Serves) -> Option<Job> {
    let claiming = backend.clone();
    let claimed = spawn_blocking(move || claiming.claim(serves));
    let claimed = timeout(PATIENCE, claimed).await.expect("a claim in time");
    claimed.expect("a claim")
}

async fn next(backend: &Arc<dyn Backend>) -> Job {
    claim(backend, Serves::Both).await.expect("a job")
}

/// Gives every worker a job, so that all others have to wait.
async fn occupy(backend: &Arc<dyn Backend>) {
    for _ in 0..BOUNDS.workers {
        accepted(backend, Lane::Normal).await;
        next(backend).await;
    }
    accepted(backend, Lane::Express).await;
    let reserved = claim(backend, Serves::ExpressOnly).await;
    assert!(reserved.is_some());
}

async fn position(backend: &Arc<dyn Backend>, id: JobId) -> Option<u32> {
    let status = backend.status(id).await.expect("a status");
    status.expect("the job").queue_position
}

fn all_webhooks(per_receiver: u32) -> WebhookClaim<'static> {
    WebhookClaim {
        limit: 100,
        per_receiver,
        per_host: 100,
        to: Receivers::AllBut(&[]),
    }
}

async fn due(backend: &Arc<dyn Backend>) -> Vec<DueWebhook> {
    let claimed = backend.claim_webhooks(all_webhooks(8)).await;
    claimed.expect("the outbox").due
}

/// Claims a job, and ends it with a webhook to `host`.
async fn finished_with_webhook(backend: &Arc<dyn Backend>, host: &str) {
    accepted(backend, Lane::Normal).await;
    let attempt = Attempt::of(&next(backend).await);
    let webhook = webhook(host);
    let ended = backend.finish(attempt, &finish(), Some(&webhook)).await;
    assert!(ended.expect("an end"));
}

pub async fn an_accepted_job_outlives_the_process<H: Harness>() {
    let harness = H::new(BOUNDS).await;
    let job = job(Lane::Express);
    harness
        .backend()
        .accept(&job, None)
        .await
        .expect("an acceptance");
    let backend = harness.crash().await.backend();
    let stored = backend.job(job.id).await.expect("the store");
    let stored = stored.expect("the job");
    assert_eq!(stored.state, JobState::Queued);
    // By the clock of the store.
    let accepted_at = stored.created_at.0 - job.created_at.0;
    assert!(
        accepted_at.abs() < PATIENCE.as_millis() as i64,
        "{accepted_at} ms later"
    );
    let (request, expected) = (&stored.request, &job.request);
    assert_eq!(request.specs, expected.specs);
    assert_eq!(request.dialect_data, expected.dialect_data);
    assert_eq!(request.webhook_url, expected.webhook_url);
    assert_eq!(
        (&request.dialect, &request.endpoint, &request.client_id),
        (&expected.dialect, &expected.endpoint, &expected.client_id)
    );
    assert_eq!(next(&backend).await.id, job.id);
    let unknown = backend.job(JobId::random()).await.expect("the store");
    assert!(unknown.is_none());
}

pub async fn a_lane_holds_exactly_its_bound_under_concurrency<H: Harness>() {
    const BOUND: usize = 5;
    let harness = H::new(Bounds {
        normal: Some(BOUND),
        ..BOUNDS
    })
    .await;
    let backend = harness.backend();
    let mut running = Vec::new();
    for _ in 0..BOUNDS.workers {
        accepted(&backend, Lane::Normal).await;
        running.push(next(&backend).await);
    }
    let fill = async || {
        let asking: Vec<_> = (0..50)
            .map(|_| {
                let backend = backend.clone();
                tokio::spawn(async move { backend.accept(&job(Lane::Normal), None).await })
            })
            .collect();
        let mut count = 0;
        for asked in asking {
            match asked.await.expect("an answer") {
                Ok(_) => count += 1,
                Err(AcceptError::Full { lane, bound }) => {
                    assert_eq!((lane, bound), (Lane::Normal, BOUND));
                }
                Err(error) => panic!("{error}"),
            }
        }
        count
    };
    assert_eq!(fill().await, BOUND);
    assert_eq!(backend.queue_length().await.expect("a length"), BOUND);
    // A worker that ends its job and takes the next makes one place.
    let attempt = Attempt::of(&running[0]);
    assert!(
        backend
            .finish(attempt, &finish(), None)
            .await
            .expect("an end")
    );
    next(&backend).await;
    assert_eq!(fill().await, 1);
}

pub async fn bounds_hold_while_both_lanes_fill_at_once<H: Harness>() {
    let bounds = Bounds {
        normal: Some(1),
        express: Some(1),
        workers: 1,
    };
    let harness = H::new(bounds).await;
    let backend = harness.backend();
    for round in 0..40 {
        let workers = [Serves::Both, Serves::ExpressOnly].map(|serves| {
            let backend = backend.clone();
            spawn_blocking(move || backend.claim(serves))
        });
        let lanes = [Lane::Normal, Lane::Express, Lane::Normal, Lane::Normal];
        let accepting = lanes.map(|lane| {
            let backend = backend.clone();
            tokio::spawn(async move { backend.accept(&job(lane), None).await.is_ok() })
        });
        let mut waiting = 0;
        for accepted in accepting {
            waiting += usize::from(accepted.await.expect("an answer"));
        }
        // Express jobs for a reserved worker that has got none, as the other took it; and until the lane is full.
        loop {
            let is_idle = workers.iter().any(|worker| !worker.is_finished());
            match backend.accept(&job(Lane::Express), None).await {
                Ok(_) => waiting += 1,
                Err(_) if is_idle => tokio::task::yield_now().await,
                Err(_) => break,
            }
        }
        for worker in workers {
            let job = worker.await.expect("a claim").expect("a job");
            let ended = backend.finish(Attempt::of(&job), &finish(), None).await;
            assert!(ended.expect("an end"));
            waiting -= 1;
        }
        assert!(
            waiting <= 2,
            "round {round}: {waiting} wait, and each lane holds 1"
        );
        for _ in 0..waiting {
            let job = next(&backend).await;
            let ended = backend.finish(Attempt::of(&job), &finish(), None).await;
            assert!(ended.expect("an end"));
        }
    }
}

pub async fn each_lane_has_a_bound_of_its_own<H: Harness>() {
    let bounds = Bounds {
        normal: Some(1),
        express: Some(2),
        workers: 1,
    };
    let harness = H::new(bounds).await;
    let backend = harness.backend();
    for serves in [Serves::Both, Serves::ExpressOnly] {
        accepted(&backend, Lane::Express).await;
        assert!(claim(&backend, serves).await.is_some());
    }
    for (lane, bound) in [(Lane::Normal, 1), (Lane::Express, 2)] {
        assert_eq!(backend.bound(lane), Some(bound));
        for _ in 0..bound {
            accepted(&backend, lane).await;
        }
        let refused = backend.accept(&job(lane), None).await;
        assert!(
            matches!(refused, Err(AcceptError::Full { bound: told, .. }) if told == bound),
            "{refused:?}"
        );
    }
}

pub async fn without_a_bound_nothing_is_refused<H: Harness>() {
    let bounds = Bounds {
        normal: None,
        express: None,
        workers: 1,
    };
    let harness = H::new(bounds).await;
    let backend = harness.backend();
    for _ in 0..150 {
        accepted(&backend, Lane::Normal).await;
    }
    assert_eq!(backend.bound(Lane::Normal), None);
}

pub async fn jobs_are_served_express_first_then_in_the_order_of_acceptance<H: Harness>() {
    let harness = H::new(BOUNDS).await;
    let backend = harness.backend();
    occupy(&backend).await;
    let mut ids = Vec::new();
    for lane in [Lane::Normal, Lane::Normal, Lane::Express, Lane::Normal] {
        ids.push(accepted(&backend, lane).await);
    }
    let expected = [ids[2], ids[0], ids[1], ids[3]];
    for (place, id) in (1..).zip(expected) {
        assert_eq!(position(&backend, id).await, Some(place));
    }
    for id in expected {
        assert_eq!(position(&backend, id).await, Some(1));
        assert_eq!(next(&backend).await.id, id);
        assert_eq!(position(&backend, id).await, None);
    }
}

pub async fn positions_follow_the_order_in_which_concurrent_jobs_are_served<H: Harness>() {
    const JOBS: usize = 24;
    let harness = H::new(BOUNDS).await;
    let backend = harness.backend();
    let accepting: Vec<_> = (0..JOBS)
        .map(|_| {
            let backend = backend.clone();
            tokio::spawn(async move { accepted(&backend, Lane::Normal).await })
        })
        .collect();
    let mut told = vec![None; JOBS];
    for job in accepting {
        let id = job.await.expect("an acceptance");
        let place = position(&backend, id).await.expect("a position");
        let before = told[place as usize - 1].replace(id);
        assert_eq!(before, None, "two jobs have the place {place}");
    }
    for id in told {
        assert_eq!(Some(next(&backend).await.id), id);
    }
}

pub async fn a_job_whose_process_died_comes_after_its_lanes_others<H: Harness>() {
    let harness = H::new(BOUNDS).await;
    let backend = harness.backend();
    let dying = accepted(&backend, Lane::Normal).await;
    let waiting = accepted(&backend, Lane::Normal).await;
    assert_eq!(next(&backend).await.id, dying);
    let backend = harness.crash().await.backend();
    let later = accepted(&backend, Lane::Normal).await;
    for (place, id) in (1..).zip([waiting, later, dying]) {
        assert_eq!(position(&backend, id).await, Some(place));
    }
    for id in [waiting, later, dying] {
        assert_eq!(next(&backend).await.id, id);
    }
}

pub async fn a_released_job_keeps_its_place<H: Harness>() {
    let harness = H::new(BOUNDS).await;
    let backend = harness.backend();
    let first = accepted(&backend, Lane::Normal).await;
    let second = accepted(&backend, Lane::Normal).await;
    let job = next(&backend).await;
    assert_eq!((job.id, job.attempt), (first, 1));
    assert!(backend.release(Attempt::of(&job)).await.expect("a release"));
    assert_eq!(position(&backend, first).await, Some(1));
    assert_eq!(position(&backend, second).await, Some(2));
    let again = next(&backend).await;
    assert_eq!((again.id, again.attempt), (first, 2));
    assert_eq!(next(&backend).await.id, second);
}

pub async fn no_job_is_claimed_twice<H: Harness>() {
    const JOBS: usize = 40;
    let harness = H::new(BOUNDS).await;
    let backend = harness.backend();
    for n in 0..JOBS {
        let lane = if n % 3 == 0 {
            Lane::Express
        } else {
            Lane::Normal
        };
        accepted(&backend, lane).await;
    }
    let workers: Vec<_> = (0..4)
        .map(|_| {
            let backend = backend.clone();
            tokio::spawn(async move {
                let mut ids = Vec::new();
                for _ in 0..JOBS / 4 {
                    let job = next(&backend).await;
                    let attempt = Attempt::of(&job);
                    let ended = backend.finish(attempt, &finish(), None).await;
                    assert!(ended.expect("an end"));
                    ids.push(job.id);
                }
                ids
            })
        })
        .collect();
    let mut claimed = HashSet::new();
    for worker in workers {
        claimed.extend(worker.await.expect("a worker"));
    }
    assert_eq!(claimed.len(), JOBS);
}

pub async fn an_attempt_that_lost_its_job_cannot_renew_finish_or_release_it<H: Harness>() {
    let harness = H::new(BOUNDS).await;
    let backend = harness.backend();
    let id = accepted(&backend, Lane::Normal).await;
    let lost = Attempt::of(&next(&backend).await);
    let held = backend.renew(lost, 0.5).await.expect("a renewal");
    assert_eq!(held, Lease::Held);

    let backend = harness.crash().await.backend();
    let job = next(&backend).await;
    let attempt = Attempt::of(&job);
    assert_eq!((job.id, attempt.number), (id, lost.number + 1));
    let renewed = backend.renew(lost, 0.9).await.expect("a renewal");
    assert_eq!(renewed, Lease::Lost);
    let webhook = webhook("example.com");
    let ended = backend.finish(lost, &finish(), Some(&webhook)).await;
    assert!(!ended.expect("an end"));
    assert!(!backend.release(lost).await.expect("a release"));
    assert!(due(&backend).await.is_empty());
    let stored = backend.job(id).await.expect("the store").expect("the job");
    assert_eq!((stored.state, stored.attempt), (JobState::Running, 2));

    let ended = backend.finish(attempt, &finish(), Some(&webhook)).await;
    assert!(ended.expect("an end"));
    let ended = backend.finish(attempt, &finish(), Some(&webhook)).await;
    assert!(!ended.expect("an end"), "a job was ended twice");
    let renewed = backend.renew(attempt, 1.0).await.expect("a renewal");
    assert_eq!(renewed, Lease::Lost);
    assert_eq!(due(&backend).await.len(), 1);
}

pub async fn a_worker_of_the_express_lane_takes_nothing_else<H: Harness>() {
    let harness = H::new(BOUNDS).await;
    let backend = harness.backend();
    accepted(&backend, Lane::Normal).await;
    let claiming = backend.clone();
    let reserved = spawn_blocking(move || claiming.claim(Serves::ExpressOnly));
    let express = accepted(&backend, Lane::Express).await;
    let claimed = timeout(PATIENCE, reserved).await.expect("a claim in time");
    assert_eq!(claimed.expect("a claim").expect("a job").id, express);
}

pub async fn a_finished_job_is_told_with_its_outcome<H: Harness>() {
    let harness = H::new(BOUNDS).await;
    let backend = harness.backend();
    let mut events = backend.events();
    let id = accepted(&backend, Lane::Normal).await;
    let job = next(&backend).await;
    assert!(job.started_at.is_some());
    let finish = finish();
    let ended = backend.finish(Attempt::of(&job), &finish, None).await;
    assert!(ended.expect("an end"));
    hears(&mut events, JobEvent::Finished(id)).await;
    let status = backend.status(id).await.expect("a status").expect("a job");
    assert_eq!((status.progress, status.queue_position), (1.0, None));
    let told = status.job.finish.expect("its end");
    assert_eq!(status.job.state, JobState::Done);
    assert_eq!(told.outcome, finish.outcome);
    assert_eq!((told.at, told.process), (finish.at, finish.process));
}

/// Reads events until this one.
async fn hears(events: &mut tokio::sync::broadcast::Receiver<JobEvent>, expected: JobEvent) {
    let heard = async { while events.recv().await.expect("an event") != expected {} };
    timeout(PATIENCE, heard).await.expect("the event in time");
}

pub async fn progress_is_told_while_a_job_runs<H: Harness>() {
    let harness = H::new(BOUNDS).await;
    let backend = harness.backend();
    let id = accepted(&backend, Lane::Normal).await;
    let progress = async || {
        let status = backend.status(id).await.expect("a status");
        status.expect("the job").progress
    };
    assert_eq!(progress().await, 0.0);
    let attempt = Attempt::of(&next(&backend).await);
    assert_eq!(progress().await, 0.0);
    backend.renew(attempt, 0.25).await.expect("a renewal");
    assert_eq!(progress().await, 0.25);
    assert!(backend.release(attempt).await.expect("a release"));
    assert_eq!(progress().await, 0.0);
    assert!(backend.renew_interval() > Duration::ZERO);
}

pub async fn a_made_video_frees_its_worker_and_its_job_goes_on<H: Harness>() {
    let bounds = Bounds {
        normal: Some(1),
        workers: 1,
        ..BOUNDS
    };
    let harness = H::new(bounds).await;
    let backend = harness.backend();
    let first = accepted(&backend, Lane::Normal).await;
    let attempt = Attempt::of(&next(&backend).await);
    accepted(&backend, Lane::Normal).await;
    assert!(
        backend.accept(&job(Lane::Normal), None).await.is_err(),
        "the lane is full"
    );
    let made = backend.made(attempt, &unstored(attempt)).await;
    assert!(made.expect("a record"));
    // The free worker takes the second one, whose place is free then.
    next(&backend).await;
    accepted(&backend, Lane::Normal).await;
    let status = backend.status(first).await.expect("the store");
    let job = status.expect("the job").job;
    assert_eq!(job.state, JobState::Running);
    assert_eq!(job.unstored, Some(unstored(attempt)));
    assert_eq!(
        backend.renew(attempt, 0.99).await.expect("a lease"),
        Lease::Held
    );
    let ended = backend.finish(attempt, &finish(), None).await;
    assert!(ended.expect("an end"));
    let job = backend
        .job(first)
        .await
        .expect("the store")
        .expect("the job");
    assert_eq!((job.state, job.unstored), (JobState::Done, None));
    // The end has not freed a worker once more: the only one is at work, and one job waits.
    assert!(
        backend
            .accept(&self::job(Lane::Normal), None)
            .await
            .is_err(),
        "the lane is full"
    );
}

pub async fn a_made_video_outlives_the_process_and_is_not_made_again<H: Harness>() {
    let harness = H::new(BOUNDS).await;
    let backend = harness.backend();
    let id = accepted(&backend, Lane::Normal).await;
    let attempt = Attempt::of(&next(&backend).await);
    let made = backend.made(attempt, &unstored(attempt)).await;
    assert!(made.expect("a record"));
    let harness = harness.crash().await;
    let backend = harness.backend();
    let taken = backend.take_unstored().await.expect("the store");
    assert_eq!(taken.len(), 1);
    assert_eq!(taken[0].id, id);
    assert_eq!(taken[0].unstored, Some(unstored(attempt)));
    assert!(taken[0].attempt > attempt.number, "{}", taken[0].attempt);
    // The next job that is served is another, which has a worker.
    let other = accepted(&backend, Lane::Normal).await;
    assert_eq!(next(&backend).await.id, other);
    let finish = finish();
    let stale = backend.finish(attempt, &finish, None).await;
    assert!(
        !stale.expect("an answer"),
        "the attempt before has lost the job"
    );
    let now = Attempt::of(&taken[0]);
    assert_eq!(
        backend.renew(now, 0.99).await.expect("a lease"),
        Lease::Held
    );
    assert!(backend.finish(now, &finish, None).await.expect("an end"));
    let job = backend.job(id).await.expect("the store").expect("the job");
    assert_eq!(job.state, JobState::Done);
    assert_eq!(job.finish.expect("an end").outcome, finish.outcome);
}

pub async fn an_attempt_that_lost_its_job_has_made_nothing<H: Harness>() {
    let harness = H::new(BOUNDS).await;
    let backend = harness.backend();
    let id = accepted(&backend, Lane::Normal).await;
    let lost = Attempt::of(&next(&backend).await);
    let backend = harness.crash().await.backend();
    assert!(backend.take_unstored().await.expect("the store").is_empty());
    let again = next(&backend).await;
    assert_eq!(again.id, id);
    let made = backend.made(lost, &unstored(lost)).await;
    assert!(!made.expect("an answer"));
    let job = backend.job(id).await.expect("the store").expect("the job");
    assert_eq!(job.unstored, None);
}

pub async fn a_made_video_that_is_lost_is_made_again<H: Harness>() {
    let harness = H::new(BOUNDS).await;
    let backend = harness.backend();
    let id = accepted(&backend, Lane::Normal).await;
    let attempt = Attempt::of(&next(&backend).await);
    backend
        .made(attempt, &unstored(attempt))
        .await
        .expect("a record");
    assert!(backend.release(attempt).await.expect("a release"));
    let again = next(&backend).await;
    assert_eq!((again.id, again.unstored), (id, None));
}

pub async fn a_result_and_its_webhook_are_written_together<H: Harness>() {
    let harness = H::new(BOUNDS).await;
    let backend = harness.backend();
    let id = accepted(&backend, Lane::Normal).await;
    let attempt = Attempt::of(&next(&backend).await);
    let webhook = webhook("example.com:8443");
    let ended = backend.finish(attempt, &finish(), Some(&webhook)).await;
    assert!(ended.expect("an end"));
    let backend = harness.crash().await.backend();
    let job = backend.job(id).await.expect("the store").expect("the job");
    assert_eq!(job.state, JobState::Done);
    let due = due(&backend).await;
    assert_eq!(due.len(), 1);
    assert_eq!(
        (due[0].url.as_str(), due[0].body.as_slice(), due[0].attempt),
        (webhook.url.as_str(), webhook.body.as_slice(), 0)
    );
    assert!(due[0].id.contains(&id.to_string()), "{}", due[0].id);
}

pub async fn a_webhook_is_claimed_once_until_its_delivery_is_recorded<H: Harness>() {
    let harness = H::new(BOUNDS).await;
    let backend = harness.backend();
    finished_with_webhook(&backend, "example.com").await;
    let first = due(&backend).await;
    assert_eq!(first.len(), 1);
    assert!(
        due(&backend).await.is_empty(),
        "a webhook was claimed twice"
    );
    let delivered = backend.record_delivery(&first[0].id, 0, &Delivery::Delivered);
    delivered.await.expect("a record");
    assert!(due(&backend).await.is_empty());

    finished_with_webhook(&backend, "example.com").await;
    let second = due(&backend).await;
    let given_up = Delivery::GivenUp("the receiver answered 410".into());
    let recorded = backend.record_delivery(&second[0].id, 0, &given_up).await;
    recorded.expect("a record");
    assert!(due(&backend).await.is_empty());
}

pub async fn a_claimed_webhook_is_claimed_again_after_a_crash<H: Harness>() {
    let harness = H::new(BOUNDS).await;
    finished_with_webhook(&harness.backend(), "example.com").await;
    let before = due(&harness.backend()).await;
    let after = due(&harness.crash().await.backend()).await;
    assert_eq!((before.len(), after.len()), (1, 1));
    assert_eq!(before[0].id, after[0].id);
    assert_eq!(before[0].body, after[0].body);
}

pub async fn a_delivery_that_is_recorded_late_changes_nothing<H: Harness>() {
    let harness = H::new(BOUNDS).await;
    let backend = harness.backend();
    finished_with_webhook(&backend, "example.com").await;
    let id = due(&backend).await.remove(0).id;
    let delivered = backend.record_delivery(&id, 0, &Delivery::Delivered);
    delivered.await.expect("a record");
    let again = Delivery::RetryIn(Duration::ZERO, "timed out".into());
    for attempt in [0, 1] {
        let late = backend.record_delivery(&id, attempt, &again).await;
        late.expect("a record");
        assert!(due(&backend).await.is_empty(), "it was sent again");
    }
}

pub async fn a_webhook_that_is_to_be_retried_falls_due_later<H: Harness>() {
    let harness = H::new(BOUNDS).await;
    let backend = harness.backend();
    finished_with_webhook(&backend, "example.com").await;
    let id = due(&backend).await.remove(0).id;
    let retry = |wait| Delivery::RetryIn(wait, "timed out".into());
    let later = retry(Duration::from_secs(300));
    let recorded = backend.record_delivery(&id, 0, &later).await;
    recorded.expect("a record");
    let claimed = backend
        .claim_webhooks(all_webhooks(8))
        .await
        .expect("the outbox");
    assert!(claimed.due.is_empty());
    let next_in = claimed.next_in.expect("a later one");
    // Earlier, where it may be told of others that are not its own.
    assert!(
        next_in > Duration::from_secs(1) && next_in <= Duration::from_secs(300),
        "{next_in:?}"
    );
    let now = retry(Duration::ZERO);
    let recorded = backend.record_delivery(&id, 1, &now).await;
    recorded.expect("a record");
    let again = due(&backend).await.remove(0);
    assert_eq!((again.id, again.attempt), (id, 2));
}

pub async fn a_receiver_with_many_webhooks_leaves_room_for_others<H: Harness>() {
    let harness = H::new(BOUNDS).await;
    let backend = harness.backend();
    for host in ["busy.example"; 6].into_iter().chain(["other.example"]) {
        finished_with_webhook(&backend, host).await;
    }
    let claimed = backend
        .claim_webhooks(all_webhooks(2))
        .await
        .expect("the outbox");
    let to = |host: &str| {
        let due = claimed.due.iter();
        due.filter(|webhook| webhook.url.contains(host)).count()
    };
    assert_eq!((to("busy.example"), to("other.example")), (2, 1));
    // Two are under way there, so no more are claimed.
    let more = backend
        .claim_webhooks(all_webhooks(2))
        .await
        .expect("the outbox");
    assert!(more.due.is_empty());
}

pub async fn webhooks_are_claimed_for_some_receivers_or_for_all_but_some<H: Harness>() {
    let harness = H::new(BOUNDS).await;
    let backend = harness.backend();
    for host in ["a.example", "b.example:81", "c.example"] {
        finished_with_webhook(&backend, host).await;
    }
    let claimed = async |to| {
        let claim = WebhookClaim {
            to,
            ..all_webhooks(8)
        };
        let claimed = backend.claim_webhooks(claim).await.expect("the outbox");
        let receivers = claimed.due.into_iter().map(|webhook| webhook.receiver);
        receivers.collect::<Vec<String>>()
    };
    let names = |names: &[&str]| {
        names
            .iter()
            .map(|name| (*name).to_owned())
            .collect::<Vec<_>>()
    };
    let none = names(&["a.example", "d.example/hook"]);
    assert_eq!(claimed(Receivers::Only(&none)).await, names(&[]));
    let some = names(&["a.example/hook", "b.example:81/hook"]);
    let others = claimed(Receivers::AllBut(&some)).await;
    assert_eq!(others, names(&["c.example/hook"]));
    let only = names(&["b.example:81/hook", "c.example/hook"]);
    let others = claimed(Receivers::Only(&only)).await;
    assert_eq!(others, names(&["b.example:81/hook"]));
    let rest = claimed(Receivers::AllBut(&[])).await;
    assert_eq!(rest, names(&["a.example/hook"]));
}

pub async fn no_host_has_more_than_its_share_of_a_claim<H: Harness>() {
    let harness = H::new(BOUNDS).await;
    let backend = harness.backend();
    for path in 0..5 {
        finished_with_webhook(&backend, &format!("a.example/{path}")).await;
    }
    finished_with_webhook(&backend, "b.example").await;
    let mut claim = WebhookClaim {
        per_host: 2,
        ..all_webhooks(1)
    };
    let claimed = async |claim| {
        let claimed = backend.claim_webhooks(claim).await.expect("the outbox");
        claimed.due.len()
    };
    assert_eq!(
        claimed(claim).await,
        3,
        "two of one host, and one of the other"
    );
    assert_eq!(claimed(claim).await, 0, "those in hand count");
    claim.per_host = 3;
    assert_eq!(claimed(claim).await, 1);
}

pub async fn new_webhooks_are_claimed_by_themselves<H: Harness>() {
    let harness = H::new(BOUNDS).await;
    let backend = harness.backend();
    finished_with_webhook(&backend, "tried.example").await;
    let tried = due(&backend).await.remove(0).id;
    let again = Delivery::RetryIn(Duration::ZERO, "timed out".into());
    let recorded = backend.record_delivery(&tried, 0, &again).await;
    recorded.expect("a record");
    for host in ["a.example", "b.example", "c.example"] {
        finished_with_webhook(&backend, host).await;
        // Their times are in milliseconds.
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let known = ["b.example/hook".to_owned()];
    let claim = WebhookClaim {
        to: Receivers::NewBut(&known),
        ..all_webhooks(8)
    };
    let claimed = backend.claim_webhooks(claim).await.expect("the outbox");
    let receivers = claimed.due.iter().map(|webhook| webhook.receiver.as_str());
    let mut receivers: Vec<&str> = receivers.collect();
    // PostgreSQL returns what it has claimed in no order.
    receivers.sort_unstable();
    assert_eq!(receivers, ["a.example/hook", "c.example/hook"]);
}

pub async fn a_cancelled_job_that_waits_ends_and_leaves_its_place<H: Harness>() {
    let bounds = Bounds {
        normal: Some(2),
        ..BOUNDS
    };
    let harness = H::new(bounds).await;
    let backend = harness.backend();
    for _ in 0..bounds.workers {
        accepted(&backend, Lane::Normal).await;
        next(&backend).await;
    }
    let first = accepted(&backend, Lane::Normal).await;
    let second = accepted(&backend, Lane::Normal).await;
    assert!(backend.accept(&job(Lane::Normal), None).await.is_err());

    let mut events = backend.events();
    let webhook = webhook("example.com");
    let cancel = async |id| {
        let cancelled = backend.cancel(id, &cancelled(), Some(&webhook)).await;
        cancelled.expect("a cancellation")
    };
    assert_eq!(cancel(first).await, Cancelled::Ended);
    hears(&mut events, JobEvent::Finished(first)).await;
    assert_eq!(position(&backend, second).await, Some(1));
    let job = backend.job(first).await.expect("the store");
    let job = job.expect("the job");
    let outcome = job.finish.expect("its end").outcome;
    assert_eq!(outcome.expect_err("a failure").code, FailureCode::Cancelled);
    assert_eq!(due(&backend).await.len(), 1);

    assert_eq!(cancel(first).await, Cancelled::TooLate);
    assert_eq!(cancel(JobId::random()).await, Cancelled::TooLate);
    accepted(&backend, Lane::Normal).await;
    assert_eq!(next(&backend).await.id, second);
}

pub async fn a_cancelled_job_that_runs_is_marked_and_its_worker_told<H: Harness>() {
    let harness = H::new(BOUNDS).await;
    let backend = harness.backend();
    let id = accepted(&backend, Lane::Normal).await;
    let job = next(&backend).await;
    assert!(!job.cancel_requested);
    let mut events = backend.events();
    let cancelled = backend.cancel(id, &cancelled(), None).await;
    assert_eq!(cancelled.expect("a cancellation"), Cancelled::Requested);
    hears(&mut events, JobEvent::CancelRequested(id)).await;
    let marked = backend.job(id).await.expect("the store").expect("the job");
    assert_eq!(
        (marked.state, marked.cancel_requested),
        (JobState::Running, true)
    );
    // Its worker may have finished it before it heard.
    let ended = backend.finish(Attempt::of(&job), &finish(), None).await;
    assert!(ended.expect("an end"));
}

pub async fn a_cancellation_outlives_the_process<H: Harness>() {
    let harness = H::new(BOUNDS).await;
    let backend = harness.backend();
    let id = accepted(&backend, Lane::Normal).await;
    next(&backend).await;
    let requested = backend.cancel(id, &cancelled(), None).await;
    requested.expect("a cancellation");
    let backend = harness.crash().await.backend();
    let job = next(&backend).await;
    assert_eq!((job.id, job.cancel_requested), (id, true));
}

pub async fn a_closed_backend_begins_no_more_jobs<H: Harness>() {
    let harness = H::new(BOUNDS).await;
    let backend = harness.backend();
    let running = accepted(&backend, Lane::Normal).await;
    let attempt = Attempt::of(&next(&backend).await);
    let claiming = backend.clone();
    let waiting = spawn_blocking(move || claiming.claim(Serves::ExpressOnly));
    backend.close();
    let ended = timeout(PATIENCE, waiting).await.expect("an end in time");
    assert!(ended.expect("a claim").is_none());
    let refused = backend.accept(&job(Lane::Normal), None).await;
    match backend.is_shared() {
        // Others will do it.
        true => assert!(refused.is_ok(), "{refused:?}"),
        false => assert!(matches!(refused, Err(AcceptError::Closed)), "{refused:?}"),
    }
    assert!(claim(&backend, Serves::Both).await.is_none());
    // What runs goes on.
    let finished = backend.finish(attempt, &finish(), None).await;
    assert!(finished.expect("an end"));
    let job = backend.job(running).await.expect("the store");
    assert_eq!(job.expect("the job").state, JobState::Done);
}

pub async fn states_are_told_of_jobs_that_changed_lately<H: Harness>() {
    let harness = H::new(BOUNDS).await;
    let backend = harness.backend();
    let done = accepted(&backend, Lane::Normal).await;
    let running = accepted(&backend, Lane::Normal).await;
    let queued = accepted(&backend, Lane::Normal).await;
    let attempt = Attempt::of(&next(&backend).await);
    assert!(
        backend
            .finish(attempt, &finish(), None)
            .await
            .expect("an end")
    );
    next(&backend).await;
    let minute_ago = Timestamp(Timestamp::now().0 - 60_000);
    let states = backend.states_since(minute_ago).await.expect("the states");
    let states: HashSet<_> = states
        .into_iter()
        .map(|(id, state)| (id, format!("{state:?}")))
        .collect();
    let expected = [(done, "Done"), (running, "Running"), (queued, "Queued")];
    assert_eq!(
        states,
        expected.map(|(id, state)| (id, state.to_owned())).into()
    );
    let later = Timestamp::now().after(Duration::from_secs(60));
    assert!(backend.states_since(later).await.expect("none").is_empty());
}

pub async fn a_request_with_a_key_is_accepted_once<H: Harness>() {
    let harness = H::new(Bounds {
        normal: Some(1),
        ..BOUNDS
    })
    .await;
    let backend = harness.backend();
    occupy(&backend).await;
    let idempotency = |key: &str, request: &str| Idempotency {
        key: key.to_owned(),
        request_hash: request.to_owned(),
    };
    let asking: Vec<_> = (0..50)
        .map(|_| {
            let (backend, idempotency) = (backend.clone(), idempotency("a", "1"));
            tokio::spawn(async move {
                let job = job(Lane::Normal);
                let accepted = backend.accept(&job, Some(&idempotency)).await;
                match accepted.expect("an acceptance") {
                    Acceptance::New => (job.id, true),
                    Acceptance::Known(id) => (id, false),
                }
            })
        })
        .collect();
    let mut answers = Vec::new();
    for asked in asking {
        answers.push(asked.await.expect("an answer"));
    }
    assert!(answers.iter().all(|(id, _)| *id == answers[0].0));
    assert_eq!(answers.iter().filter(|(_, is_new)| *is_new).count(), 1);
    let accept = async |key, request| {
        let idempotency = idempotency(key, request);
        backend.accept(&job(Lane::Normal), Some(&idempotency)).await
    };
    assert!(matches!(
        accept("a", "2").await,
        Err(AcceptError::KeyReused)
    ));
    // The lane is full, and the known request is known all the same.
    assert!(matches!(
        accept("b", "1").await,
        Err(AcceptError::Full { .. })
    ));
    assert_eq!(
        accept("a", "1").await.expect("an acceptance"),
        Acceptance::Known(answers[0].0)
    );
    let backend = harness.crash().await.backend();
    let known = backend
        .accept(&job(Lane::Normal), Some(&idempotency("a", "1")))
        .await;
    assert_eq!(
        known.expect("an acceptance"),
        Acceptance::Known(answers[0].0)
    );
}

pub async fn jobs_are_listed_by_state_and_page_by_page<H: Harness>() {
    let harness = H::new(BOUNDS).await;
    let backend = harness.backend();
    let mut ids = Vec::new();
    for _ in 0..5 {
        ids.push(accepted(&backend, Lane::Normal).await);
    }
    let done = Attempt::of(&next(&backend).await);
    let ended = backend.finish(done, &finish(), None).await;
    assert!(ended.expect("an end"));
    let failed = Attempt::of(&next(&backend).await);
    let failure = Finish {
        // With what a cancelled job has in its row.
        outcome: Err(Failure::new(
            FailureCode::BadAnswer,
            r#""code":"cancelled""#,
        )),
        ..finish()
    };
    let ended = backend.finish(failed, &failure, None).await;
    assert!(ended.expect("an end"));
    let ended = backend.cancel(ids[2], &cancelled(), None).await;
    assert_eq!(ended.expect("a cancellation"), Cancelled::Ended);
    let running = next(&backend).await.id;
    assert_eq!(running, ids[3]);
    let list = async |state, before, limit| {
        let query = JobQuery {
            state,
            before,
            limit,
        };
        backend.list(&query).await.expect("a list")
    };
    let of = |listed: &[ListedJob]| -> Vec<JobId> {
        listed.iter().map(|listed| listed.status.job.id).collect()
    };
    ids.reverse();
    let first = list(None, None, 3).await;
    assert_eq!(of(&first), ids[..3]);
    let rest = list(None, Some(first[2].seq), 3).await;
    assert_eq!(of(&rest), ids[3..]);
    let states = [
        PublicState::Queued,
        PublicState::Running,
        PublicState::Cancelled,
        PublicState::Failed,
        PublicState::Done,
    ];
    for (state, id) in states.into_iter().zip(&ids) {
        let listed = list(Some(state), None, 10).await;
        assert_eq!(of(&listed), [*id], "{state:?}");
        assert_eq!(listed[0].status.job.public_state(), state);
    }
    let statuses = backend.statuses(&[ids[0], ids[1], JobId::random()]).await;
    let statuses = statuses.expect("the statuses");
    assert_eq!(statuses.len(), 2);
    let queued = statuses.iter().find(|status| status.job.id == ids[0]);
    assert_eq!(queued.expect("the job").queue_position, Some(1));
}

pub async fn a_job_whose_files_are_deleted_is_listed_no_more<H: Harness>() {
    let harness = H::new(BOUNDS).await;
    let backend = harness.backend();
    let id = accepted(&backend, Lane::Normal).await;
    let mark = async || backend.mark_deleted(id).await.expect("the store");
    assert!(!mark().await);
    let attempt = Attempt::of(&next(&backend).await);
    let ended = backend.finish(attempt, &finish(), None).await;
    assert!(ended.expect("an end"));
    assert!(mark().await && mark().await);
    let job = backend.job(id).await.expect("the store").expect("the job");
    assert!(job.deleted_at.is_some());
    let query = JobQuery {
        state: None,
        before: None,
        limit: 10,
    };
    assert!(backend.list(&query).await.expect("a list").is_empty());
}

pub async fn a_job_of_the_same_specification_is_found<H: Harness>() {
    let harness = H::new(BOUNDS).await;
    let backend = harness.backend();
    let find_same = async |job: &Job| {
        let made = backend.find_same(job).await.expect("the store");
        made.map(|job| job.id)
    };
    let first = accepted(&backend, Lane::Normal).await;
    let running = next(&backend).await;
    assert_eq!(find_same(&running).await, None);
    let ended = backend.finish(Attempt::of(&running), &finish(), None).await;
    assert!(ended.expect("an end"));
    assert_eq!(find_same(&job(Lane::Express)).await, Some(first));
    let mut other = job(Lane::Normal);
    other.request.specs[0].output.length = 3.0;
    assert_eq!(find_same(&other).await, None);
    // One that has failed has made nothing.
    accepted(&backend, Lane::Normal).await;
    let failed = Attempt::of(&next(&backend).await);
    let ended = backend.finish(failed, &cancelled(), None).await;
    assert!(ended.expect("an end"));
    assert_eq!(find_same(&job(Lane::Normal)).await, Some(first));
    assert!(backend.mark_deleted(first).await.expect("the store"));
    assert_eq!(find_same(&job(Lane::Normal)).await, None);
}

fn photo(id: &str) -> UploadedPhoto {
    UploadedPhoto {
        id: id.to_owned(),
        upload: Upload {
            file: format!("photo-{}", JobId::random()),
            storage: Some("s3://films/here".to_owned()),
        },
        size: Size {
            width: 640,
            height: 480,
        },
        bytes: 5_000_000_000,
    }
}

async fn stored_photo(backend: &Arc<dyn Backend>, id: &str) -> UploadedPhoto {
    let photo = photo(id);
    assert!(backend.begin_photo(&photo, 100).await.expect("the store"));
    assert!(
        backend
            .photo_stored(&photo.upload.file)
            .await
            .expect("the store")
    );
    photo
}

/// So that what was written before is older than no time at all.
async fn a_moment_later() {
    tokio::time::sleep(Duration::from_millis(20)).await;
}

const NO_TIME: Duration = Duration::ZERO;
const LONG: Duration = Duration::from_secs(3600);

pub async fn a_photo_is_there_from_when_it_is_stored_until_it_is_retired<H: Harness>() {
    let harness = H::new(BOUNDS).await;
    let backend = harness.backend();
    let begun = photo("a");
    assert!(backend.begin_photo(&begun, 100).await.expect("the store"));
    let ids = ["a".to_owned(), "other".to_owned()];
    assert_eq!(backend.use_photos(&ids).await.expect("the store"), []);
    let stored = backend.photo_stored(&begun.upload.file).await;
    assert!(stored.expect("the store"));
    let harness = harness.crash().await;
    let backend = harness.backend();
    let found = backend.use_photos(&ids).await.expect("the store");
    assert_eq!(found, std::slice::from_ref(&begun));
    let retire = async |age| backend.retire_photos(age, 10).await.expect("the store");
    a_moment_later().await;
    assert!(retire(LONG).await.is_empty());
    assert_eq!(retire(NO_TIME).await, std::slice::from_ref(&begun.upload));
    assert_eq!(backend.use_photos(&ids).await.expect("the store"), []);
    // Told again until its file is known to be gone.
    assert_eq!(retire(NO_TIME).await, std::slice::from_ref(&begun.upload));
    let removed = backend.remove_photos(&[begun.upload.file]).await;
    removed.expect("the store");
    assert!(retire(NO_TIME).await.is_empty());
}

pub async fn a_photo_that_an_unfinished_job_names_is_not_retired<H: Harness>() {
    let harness = H::new(BOUNDS).await;
    let backend = harness.backend();
    let photo = stored_photo(&backend, "a").await;
    let mut job = job(Lane::Normal);
    job.request.specs[0].scenes[0].photo.source = Source::Uploaded(photo.upload.clone());
    backend.accept(&job, None).await.expect("an acceptance");
    a_moment_later().await;
    let retire = async || backend.retire_photos(NO_TIME, 10).await.expect("the store");
    assert!(retire().await.is_empty());
    let running = next(&backend).await;
    assert_eq!(running.request.specs, job.request.specs);
    assert!(retire().await.is_empty());
    let ended = backend.finish(Attempt::of(&running), &finish(), None).await;
    assert!(ended.expect("an end"));
    assert_eq!(retire().await, [photo.upload]);
}

pub async fn no_more_photos_are_begun_than_may_be<H: Harness>() {
    let harness = H::new(BOUNDS).await;
    let backend = harness.backend();
    let begin = async |id| backend.begin_photo(&photo(id), 2).await.expect("the store");
    let first = photo("a");
    assert!(backend.begin_photo(&first, 2).await.expect("the store"));
    assert!(begin("b").await && !begin("c").await);
    a_moment_later().await;
    // None was stored, and they may still be on their way.
    let retired = backend.retire_photos(NO_TIME, 1).await.expect("the store");
    assert_eq!(retired, []);
    let files = [first.upload.file.clone()];
    assert!(backend.photo_stored(&files[0]).await.expect("the store"));
    a_moment_later().await;
    let retired = backend.retire_photos(NO_TIME, 1).await.expect("the store");
    assert_eq!(retired, [first.upload]);
    backend.remove_photos(&files).await.expect("the store");
    assert!(begin("c").await && !begin("d").await);
}

pub async fn old_videos_are_told_until_they_are_deleted<H: Harness>() {
    let harness = H::new(BOUNDS).await;
    let backend = harness.backend();
    let mut ids = Vec::new();
    for end in [finish(), cancelled(), finish()] {
        ids.push(accepted(&backend, Lane::Normal).await);
        let attempt = Attempt::of(&next(&backend).await);
        assert!(backend.finish(attempt, &end, None).await.expect("an end"));
        a_moment_later().await;
    }
    accepted(&backend, Lane::Normal).await;
    let page = async |age, after, limit| {
        let page = backend.old_videos(age, after, limit).await;
        page.expect("the store")
    };
    let old = async |age, limit| {
        let jobs = page(age, None, limit).await.jobs;
        jobs.iter().map(|job| job.id).collect::<Vec<_>>()
    };
    assert!(old(LONG, 10).await.is_empty());
    assert_eq!(old(NO_TIME, 10).await, [ids[0], ids[2]]);
    assert_eq!(old(NO_TIME, 1).await, [ids[0]]);
    // Page by page, although nothing was done with the first.
    let first = page(NO_TIME, None, 1).await;
    let second = page(NO_TIME, first.end, 1).await;
    assert_eq!(second.jobs[0].id, ids[2]);
    assert!(page(NO_TIME, second.end, 1).await.end.is_none());
    assert!(backend.mark_deleted(ids[0]).await.expect("the store"));
    assert_eq!(old(NO_TIME, 10).await, [ids[2]]);
}

pub async fn old_jobs_are_forgotten_with_their_webhooks<H: Harness>() {
    let harness = H::new(BOUNDS).await;
    let backend = harness.backend();
    let hook = webhook("a.example");
    let ended = async |end: Finish, webhook| {
        let id = accepted(&backend, Lane::Normal).await;
        let attempt = Attempt::of(&next(&backend).await);
        let ended = backend.finish(attempt, &end, webhook).await;
        assert!(ended.expect("an end"));
        id
    };
    let told = ended(finish(), Some(&hook)).await;
    let again = backend.add_webhook(told, &hook).await.expect("a webhook");
    let failed = ended(cancelled(), None).await;
    let made = ended(finish(), None).await;
    let waiting = accepted(&backend, Lane::Normal).await;
    a_moment_later().await;
    let remove = async |age, keeps_videos| {
        let removed = backend.remove_jobs(age, keeps_videos, 10).await;
        removed.expect("the store")
    };
    let is_known = async |id| backend.job(id).await.expect("the store").is_some();
    assert_eq!(remove(LONG, false).await, 0);
    // Its videos are still to be deleted.
    assert_eq!(remove(NO_TIME, true).await, 1);
    assert!(!is_known(failed).await && is_known(made).await);
    // Of one that is told of, not before that is done.
    assert_eq!(remove(NO_TIME, false).await, 1);
    assert!(!is_known(made).await && is_known(told).await && is_known(waiting).await);
    let claimed = backend
        .claim_webhooks(all_webhooks(10))
        .await
        .expect("webhooks");
    assert_eq!(claimed.due.len(), 2);
    assert!(claimed.due.iter().any(|webhook| webhook.id == again));
    for webhook in claimed.due {
        let recorded = backend.record_delivery(&webhook.id, 0, &Delivery::Delivered);
        recorded.await.expect("a record");
    }
    assert_eq!(remove(NO_TIME, false).await, 1);
    assert!(!is_known(told).await && is_known(waiting).await);
    let query = WebhookQuery {
        limit: 10,
        ..WebhookQuery::default()
    };
    assert!(
        backend
            .list_webhooks(&query)
            .await
            .expect("a list")
            .is_empty()
    );
}
