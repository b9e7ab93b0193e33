# make demo    one photo → one video, through the real service; IMAGE=path-or-url for a photo of yours
# make demo-listing    several photos → a listing video with titles, a thumbnail and a contact sheet;
#              PHOTOS="a.jpg b.jpg" TEMPLATE=JustListed1 ASPECT_RATIO=16:9 MUSIC=a.mp3 ADDRESS="…"
# make test    all tests; installs the object stores that they need into target/servers
# make serve   the service, with the settings of config.toml and the environment
# make lint    formatting; compiler, clippy and rustdoc warnings; licences and sources of crates
# make fuzz    everything that reads what strangers send, on the inputs that libFuzzer thinks up;
#              SECONDS=600 for each target, TARGETS="photo logo"
# make fuzz-api   the HTTP API, with requests that schemathesis makes up from /openapi.json; CASES=60 of each operation
# make chaos   services under load, whose processes, disks, clocks, networks and neighbours fail; ends with a table;
#              DURATION=10m, SEED=1 for the faults of an earlier run, FAULTS=ServiceKilled,DiskFull for some of them
# make         the program, in target/release/kinora
# make install   makes it a service of this system, started by systemd: below PREFIX=/usr/local, with its settings
#              in /etc/kinora and its data in /var/lib/kinora; for root. make uninstall   removes it again
# make package   a Debian package, in target/debian; make check-package   installs it in a fresh Debian, makes a film
#              with it, and removes it; for root
# make release the program with the list of its crates inside (`cargo audit bin` reads it), and that list as an
#              SBOM in the form of CycloneDX: target/release/kinora and target/release/kinora.cdx.json
# make bench   speed, size, memory and quality of a zoom, beside the usual ffmpeg pipeline and beside
#              x264 alone; PHOTOS="a.jpg b.jpg" RUNS=5
# make bench-listing   a listing video of 20 photos beside the usual ffmpeg graph, and one of 100
# make bench-encoder   the encoder presets beside other settings of x264: the table of docs/encoder.md
# make bench-cluster   how many jobs one PostgreSQL hands out, with videos that take a fixed time;
#              ARGUMENTS="--nodes 20 --workers 1 --jobs 400 --sleep 1000"
# make bench-webhooks  webhooks beside ten thousand that hang; ARGUMENTS="--database postgres://…"
# make bench-kernel    the resampling code alone

.PHONY: all demo demo-listing test serve lint fuzz fuzz-api chaos install uninstall package check-package release bench bench-encoder bench-listing bench-cluster bench-webhooks bench-kernel tools lint-tools test-servers

# The photo of `make demo`.
IMAGE ?= samples/dandelion.jpg

# The program.
all: tools
	cargo build --release --locked --bin kinora

demo: tools
	cargo build --release --locked --quiet --bin kinora --example demo
	./target/release/examples/demo '$(IMAGE)'

# The listing of `make demo-listing`.
TEMPLATE ?= ActiveListing1
ASPECT_RATIO ?= 1:1
ADDRESS ?= 12 Hillside Lane, Aspen Grove
LISTING = data/listing

demo-listing: PHOTOS = samples/listing/*.jpg
demo-listing: tools
	cargo build --release --locked --quiet --bin kinora
	mkdir -p data
	./target/release/kinora render $(PHOTOS) --output $(LISTING).mp4 --thumbnail $(LISTING).jpg \
		--template '$(TEMPLATE)' --aspect-ratio '$(ASPECT_RATIO)' $(if $(MUSIC),--music '$(MUSIC)') \
		--address '$(ADDRESS)' --price '$$1,249,000' --details '4 bed, 3 bath, 2,850 sq ft' \
		--logo samples/listing/logo.svg --contact-name 'Maria Almeida' \
		--contact-phone '(555) 123-4567' --contact-website www.example.com
	ffmpeg -v error -y -i $(LISTING).mp4 -frames:v 1 \
		-vf "select='not(mod(n-45,75))',scale=480:-2,tile=4x3:padding=8:color=white" $(LISTING).png
	@echo 'the contact sheet: $(LISTING).png; the thumbnail: $(LISTING).jpg'

serve: tools
	cargo run --release --locked --quiet --bin kinora -- serve

test: tools test-servers
	cargo test --release --locked --lib --tests

lint: tools lint-tools
	cargo fmt --check
	cargo clippy --release --locked --all-targets --test chaos -- -D warnings
	RUSTDOCFLAGS="-D warnings" cargo doc --release --locked --no-deps --quiet
	target/tools/bin/cargo-deny --locked check --hide-inclusion-graph bans licenses sources

# What is fuzzed, and for how long each.
TARGETS ?= media_type photo logo soundtrack template payload url
SECONDS ?= 600

# New inputs are kept in target/fuzz/corpus; what breaks a target, in target/fuzz/artifacts. Without a sanitizer,
# as the code is safe Rust. The variable lets the stable compiler take the flags of cargo-fuzz. A drawing may ask for
# any memory, and is refused by the limits of its process: what breaks the target `logo` is collected, and
# tests/sandbox.rs draws it in such a process.
FUZZ_logo = -fork=1 -ignore_ooms=1 -ignore_crashes=1 -ignore_timeouts=1
fuzz: tools
	@./scripts/install-cargo-tool cargo-fuzz 0.13.2
	@for target in $(TARGETS); do \
		mkdir -p target/fuzz/corpus/$$target target/fuzz/artifacts/$$target; \
		RUSTC_BOOTSTRAP=1 PATH="$(CURDIR)/target/tools/bin:$$PATH" cargo fuzz run --release --sanitizer none \
			--target-dir target/fuzz/build $$target target/fuzz/corpus/$$target fuzz/corpus/$$target -- \
			-max_total_time=$(SECONDS) -timeout=20 -rss_limit_mb=1500 \
			-artifact_prefix=target/fuzz/artifacts/$$target/ $$([ $$target = logo ] && echo '$(FUZZ_logo)') || exit 1; \
	done

# Where `make install` puts the program.
PREFIX ?= /usr/local

CASES ?= 60

fuzz-api: tools
	cargo build --release --locked --quiet --bin kinora
	CASES=$(CASES) ./scripts/check-openapi

chaos: tools test-servers
	cargo test --release --locked --test chaos

# Root has no Rust, as a rule: then it installs what was built.
install:
	@if command -v cargo >/dev/null; then $(MAKE) all; fi
	PREFIX='$(PREFIX)' ./scripts/install

uninstall:
	PREFIX='$(PREFIX)' ./scripts/install --remove

package: tools
	@./scripts/install-cargo-tool cargo-deb 3.8.0
	cargo build --release --locked --bin kinora
	./scripts/make-package-files
	PATH="$(CURDIR)/target/tools/bin:$$PATH" cargo deb --no-build --locked

check-package: package
	./scripts/check-package

release:
	@./scripts/install-cargo-tool cargo-auditable 0.7.7
	@./scripts/install-cargo-tool cargo-cyclonedx 0.5.9
	PATH="$(CURDIR)/target/tools/bin:$$PATH" cargo auditable build --release --locked --bin kinora
	PATH="$(CURDIR)/target/tools/bin:$$PATH" cargo cyclonedx --format json --no-build-deps \
		--override-filename kinora.cdx
	mv kinora.cdx.json target/release/

# Photos to measure with, and the number of runs.
PHOTOS ?= samples/dandelion.jpg
RUNS ?= 5

bench: target/bench
	target/bench/bin/python benches/video/compare.py --runs $(RUNS) $(PHOTOS)

bench-encoder: target/bench
	target/bench/bin/python benches/video/encoder.py --runs $(RUNS) $(PHOTOS)

bench-listing: target/bench
	target/bench/bin/python benches/video/listing.py --runs $(RUNS) $(PHOTOS)

# The settings of the cluster that is measured.
ARGUMENTS ?=

bench-cluster: tools test-servers
	cargo bench --locked --bench cluster -- $(ARGUMENTS)

bench-webhooks: tools test-servers
	cargo build --release --locked --quiet --bin kinora
	python3 benches/webhooks.py $(ARGUMENTS)

bench-kernel: tools
	cargo bench --locked --bench resample

.PHONY: target/bench
target/bench: tools
	cargo build --release --locked --quiet --bin kinora
	python3 -m venv target/bench
	target/bench/bin/pip install --quiet -r benches/video/requirements.txt

tools:
	@./scripts/install-tools

lint-tools:
	@./scripts/install-cargo-tool cargo-deny 0.20.2

test-servers:
	@./scripts/install-test-servers
