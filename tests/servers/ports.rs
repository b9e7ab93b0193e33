//! Ports for one server, which no other test takes.

use std::net::{Ipv4Addr, TcpListener};

use uuid::Uuid;

/// Below the ports that systems hand out to clients and to listeners on port 0.
const FIRST: u16 = 12_000;
const SIZE: u16 = 8;
const BLOCKS: u16 = 1_000;
/// SeaweedFS speaks gRPC on ports that lie as much higher.
const GRPC: u16 = 10_000;

/// A block of ports. It is held by a listener on its first port, in whichever process that lives, and
/// is free again when that process has ended.
pub struct Ports {
    first: u16,
    _holder: TcpListener,
}

impl Ports {
    /// Begins at a random block, as tests of many processes look at the same time.
    pub fn reserve() -> Self {
        let start = (Uuid::new_v4().as_u128() % u128::from(BLOCKS)) as u16;
        let mut blocks = (start..BLOCKS).chain(0..start);
        let found = blocks.find_map(|block| Self::hold(FIRST + block * SIZE));
        found.expect("no free ports for a server")
    }

    fn hold(first: u16) -> Option<Self> {
        let holder = listen(first)?;
        let free = |port| listen(port).is_some() && listen(port + GRPC).is_some();
        (first + 1..first + SIZE).all(free).then_some(Self {
            first,
            _holder: holder,
        })
    }

    /// One of the ports: 1 to 7.
    pub fn port(&self, index: u16) -> u16 {
        assert!((1..SIZE).contains(&index), "port {index} of a block");
        self.first + index
    }

    /// The port for gRPC that belongs to it.
    pub fn grpc(&self, index: u16) -> u16 {
        self.port(index) + GRPC
    }
}

fn listen(port: u16) -> Option<TcpListener> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).ok()
}
