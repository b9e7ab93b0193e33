# make demo    one photo → one video, through the real service; IMAGE=path-or-url for your own
# make test    all tests
# make serve   the service, with the settings of config.toml and the environment
# make lint    format, compiler and documentation warnings
# make bench   speed, size, memory and quality beside the usual ffmpeg pipeline and beside x264
#              alone, in one table; PHOTOS="a.jpg b.jpg" RUNS=5
# make bench-encoder   the presets, and x264's own, on PHOTOS; what docs/encoder.md holds
# make bench-kernel    the resampling kernel

.PHONY: demo test serve lint bench bench-encoder bench-kernel tools

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

# Photos to measure with, and how often.
PHOTOS ?= samples/dandelion.jpg
RUNS ?= 5

bench: target/bench
	target/bench/bin/python benches/video/compare.py --runs $(RUNS) $(PHOTOS)

bench-encoder: target/bench
	target/bench/bin/python benches/video/encoder.py --runs $(RUNS) $(PHOTOS)

bench-kernel: tools
	cargo bench --locked

.PHONY: target/bench
target/bench: tools
	cargo build --release --locked --quiet --bin kinora
	python3 -m venv target/bench
	target/bench/bin/pip install --quiet -r benches/video/requirements.txt

tools:
	@./scripts/install-tools
