//! What the process counts and measures, in the form of Prometheus. One registry for the process: numbers are added where
//! things happen.

use std::sync::LazyLock;

use log::error;
use prometheus::{
    Encoder, Gauge, GaugeVec, Histogram, HistogramOpts, HistogramVec, IntCounter, IntCounterVec,
    IntGauge, IntGaugeVec, Opts, Registry, TextEncoder,
};

/// The media type of [`Metrics::text`].
pub const MEDIA_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Buckets for what takes from a tenth of a second to half an hour.
const LONG_SECONDS: [f64; 12] = [
    0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 180.0, 600.0, 1800.0,
];

/// Buckets for what takes from milliseconds to a minute.
const SHORT_SECONDS: [f64; 12] = [
    0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0, 60.0,
];

static METRICS: LazyLock<Metrics> = LazyLock::new(Metrics::new);

/// Of this process.
pub fn metrics() -> &'static Metrics {
    &METRICS
}

pub struct Metrics {
    registry: Registry,
    /// By dialect.
    pub jobs_accepted: IntCounterVec,
    /// By dialect, state and failure code.
    pub jobs_ended: IntCounterVec,
    /// Jobs in the job store that have not ended, by state and lane.
    pub jobs: IntGaugeVec,
    /// Age of the oldest job that waits, by lane.
    pub oldest_waiting: GaugeVec,
    pub attempts_running: IntGauge,
    pub queue_seconds: Histogram,
    pub render_seconds: Histogram,
    pub frames: IntCounter,
    /// By result.
    pub fetch_seconds: HistogramVec,
    pub fetch_bytes: IntCounter,
    /// By result.
    pub store_seconds: HistogramVec,
    pub stored_bytes: IntCounter,
    /// By result.
    pub webhook_attempts: IntCounterVec,
    /// By result.
    pub ffmpeg_exits: IntCounterVec,
    pub storage_errors: IntCounter,
    pub job_store_errors: IntCounter,
    /// By method and status.
    pub http_requests: IntCounterVec,
    pub http_seconds: Histogram,
    pub event_listeners: IntGauge,
    pub previews: Histogram,
}

impl Metrics {
    fn new() -> Self {
        let builder = Builder(Registry::new());
        let build = builder.gauge("build_info", "The version of the program", &["version"]);
        build.with_label_values(&[env!("CARGO_PKG_VERSION")]).set(1);
        let started = builder.plain_gauge(
            "start_time_seconds",
            "When the process started, in seconds since the Unix epoch",
        );
        started.set(
            std::time::SystemTime::UNIX_EPOCH
                .elapsed()
                .map_or(0.0, |it| it.as_secs_f64()),
        );
        Self {
            jobs_accepted: builder.counters(
                "jobs_accepted_total",
                "Jobs accepted by this process",
                &["dialect"],
            ),
            jobs_ended: builder.counters(
                "jobs_ended_total",
                "Jobs ended by this process; the code is empty unless they failed",
                &["dialect", "state", "code"],
            ),
            jobs: builder.gauge(
                "jobs",
                "Jobs in the job store that have not ended",
                &["state", "lane"],
            ),
            oldest_waiting: builder.gauges(
                "queue_oldest_seconds",
                "Age of the oldest job that waits; 0 if none does",
                &["lane"],
            ),
            attempts_running: builder.int_gauge(
                "attempts_running",
                "Jobs that this process is making or storing",
            ),
            queue_seconds: builder.histogram(
                "job_queue_seconds",
                "From the acceptance of a job to the start of its first attempt here",
                &LONG_SECONDS,
            ),
            render_seconds: builder.histogram(
                "job_render_seconds",
                "From the start of an attempt until its videos are made, downloads included",
                &LONG_SECONDS,
            ),
            frames: builder.counter("frames_total", "Frames drawn and encoded"),
            fetch_seconds: builder.histograms(
                "fetch_seconds",
                "Downloads of photos, logos and music",
                &SHORT_SECONDS,
                &["result"],
                &["ok", "failed"],
            ),
            fetch_bytes: builder.counter("fetch_bytes_total", "Bytes of photos, logos and music"),
            store_seconds: builder.histograms(
                "store_seconds",
                "Attempts to store the videos of a job",
                &SHORT_SECONDS,
                &["result"],
                &["ok", "failed"],
            ),
            stored_bytes: builder.counter("stored_bytes_total", "Bytes of stored videos"),
            webhook_attempts: builder.counters_of(
                "webhook_attempts_total",
                "Attempts to deliver a webhook",
                "result",
                &["delivered", "retry", "given_up"],
            ),
            ffmpeg_exits: builder.counters_of(
                "ffmpeg_exits_total",
                "Ends of ffmpeg processes",
                "result",
                &["ok", "failed", "killed"],
            ),
            storage_errors: builder.counter("storage_errors_total", "Failed calls of the storage"),
            job_store_errors: builder
                .counter("job_store_errors_total", "Failed calls of the job store"),
            http_requests: builder.counters(
                "http_requests_total",
                "Answered requests",
                &["method", "status"],
            ),
            http_seconds: builder.histogram(
                "http_request_seconds",
                "From a request to the beginning of its answer; some wait for a video",
                &SHORT_SECONDS,
            ),
            event_listeners: builder.int_gauge(
                "event_listeners",
                "Clients that listen to the events of a video",
            ),
            previews: builder.histogram(
                "preview_seconds",
                "Previews, contact sheets and checks",
                &SHORT_SECONDS,
            ),
            registry: builder.0,
        }
    }

    /// In the text format of Prometheus.
    pub fn text(&self) -> String {
        let mut text = Vec::new();
        // Err: never, into memory.
        if let Err(error) = TextEncoder::new().encode(&self.registry.gather(), &mut text) {
            error!("the metrics cannot be written: {error}");
        }
        String::from_utf8_lossy(&text).into_owned()
    }
}

/// What is told of something that may fail.
pub fn result_label<T, E>(result: &Result<T, E>) -> &'static str {
    match result {
        Ok(_) => "ok",
        Err(_) => "failed",
    }
}

/// Registers metrics whose names begin with `kinora_`.
struct Builder(Registry);

impl Builder {
    fn opts(name: &str, help: &str) -> Opts {
        Opts::new(name, help).namespace("kinora")
    }

    /// The names are ours, and each is there once.
    fn registered<M: prometheus::core::Collector + Clone + 'static>(
        &self,
        metric: prometheus::Result<M>,
    ) -> M {
        let registered = metric.and_then(|metric| {
            self.0.register(Box::new(metric.clone()))?;
            Ok(metric)
        });
        registered.unwrap_or_else(|error| panic!("a metric of ours is not accepted: {error}"))
    }

    fn counter(&self, name: &str, help: &str) -> IntCounter {
        self.registered(IntCounter::with_opts(Self::opts(name, help)))
    }

    fn counters(&self, name: &str, help: &str, labels: &[&str]) -> IntCounterVec {
        self.registered(IntCounterVec::new(Self::opts(name, help), labels))
    }

    /// With these values of the label from the start.
    fn counters_of(&self, name: &str, help: &str, label: &str, values: &[&str]) -> IntCounterVec {
        let counters = self.counters(name, help, &[label]);
        for value in values {
            counters.with_label_values(&[*value]);
        }
        counters
    }

    fn plain_gauge(&self, name: &str, help: &str) -> Gauge {
        self.registered(Gauge::with_opts(Self::opts(name, help)))
    }

    fn int_gauge(&self, name: &str, help: &str) -> IntGauge {
        self.registered(IntGauge::with_opts(Self::opts(name, help)))
    }

    fn gauge(&self, name: &str, help: &str, labels: &[&str]) -> IntGaugeVec {
        self.registered(IntGaugeVec::new(Self::opts(name, help), labels))
    }

    fn gauges(&self, name: &str, help: &str, labels: &[&str]) -> GaugeVec {
        self.registered(GaugeVec::new(Self::opts(name, help), labels))
    }

    fn histogram(&self, name: &str, help: &str, buckets: &[f64]) -> Histogram {
        let opts = HistogramOpts::from(Self::opts(name, help)).buckets(buckets.to_vec());
        self.registered(Histogram::with_opts(opts))
    }

    /// With these values of the only label from the start.
    fn histograms(
        &self,
        name: &str,
        help: &str,
        buckets: &[f64],
        labels: &[&str],
        values: &[&str],
    ) -> HistogramVec {
        let opts = HistogramOpts::from(Self::opts(name, help)).buckets(buckets.to_vec());
        let histograms = self.registered(HistogramVec::new(opts, labels));
        for value in values {
            histograms.with_label_values(&[*value]);
        }
        histograms
    }
}
