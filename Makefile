# make demo    one photo → one video, through the real service; IMAGE=path-or-url for your own
# make test    all tests
# make serve   the service, with the settings of config.toml and the environment
# make lint    format, compiler and documentation warnings
# make bench   the resampling kernel's speed
# make bench-video   speed, size and quality beside the usual ffmpeg pipeline and beside x264 alone

.PHONY: demo test serve lint bench bench-video tools

# The photo of `make demo`.
IMAGE ?= samples/dandelion.jpg

demo: tools
	cargo build --release --locked --quiet --bin kinora --example demo
	./target/release/examples/demo '$(IMAGE)'

serve: tools
	cargo run --release --locked --quiet --bin kinora -- serve

test: tools
	cargo test --release --locked --lib --tests

lint: tools
	cargo fmt --check
	cargo clippy --release --locked --all-targets -- -D warnings
	RUSTDOCFLAGS="-D warnings" cargo doc --release --locked --no-deps --quiet

bench: tools
	cargo bench --locked

# Photos to measure with, and how often.
PHOTOS ?= samples/dandelion.jpg
RUNS ?= 5

bench-video: tools
	cargo build --release --locked --quiet --bin kinora
	python3 -m venv target/bench
	target/bench/bin/pip install --quiet -r benches/video/requirements.txt
	target/bench/bin/python benches/video/compare.py --runs $(RUNS) $(PHOTOS)

tools:
	@./scripts/install-tools
