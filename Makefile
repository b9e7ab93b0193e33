# make demo    one photo → one video, through the real service; IMAGE=path-or-url for your own
# make test    all tests
# make serve   the service, with the settings of config.toml and the environment
# make lint    format, compiler and documentation warnings
# make bench   measurements

.PHONY: demo test serve lint bench tools

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

tools:
	@./scripts/install-tools
