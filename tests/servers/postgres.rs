//! PostgreSQL.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};
use uuid::Uuid;

use super::ports::Ports;
use super::process::{Launch, Process};

const PORT: u16 = 1;

/// A server of its own.
pub struct Postgres(Process);

/// A database of a server, with nothing in it.
pub struct Database {
    port: u16,
    name: String,
}

impl Postgres {
    pub fn start() -> Self {
        Self(Process::start("postgres", |ports, _| launch(ports, &[])))
    }

    /// One whose commits reach the disk.
    pub fn start_durable() -> Self {
        Self(Process::start("postgres", |ports, _| {
            launch(ports, &["durable"])
        }))
    }

    pub async fn database(&self) -> Database {
        let name = format!("d{}", Uuid::new_v4().simple());
        let server = Database {
            port: self.0.port(PORT),
            name: "postgres".to_owned(),
        };
        let create = format!("CREATE DATABASE {name}");
        server.execute(&create).await;
        Database { name, ..server }
    }

    /// As `pg_ctl stop -m immediate` and a start: as if the system had died.
    pub fn crash(&mut self) {
        self.0.signal("QUIT");
        self.0.wait();
    }

    pub fn signal(&mut self, name: &str) {
        self.0.signal(name);
    }

    pub fn restart(&mut self) {
        self.0.restart();
    }
}

impl Database {
    pub fn url(&self) -> String {
        format!("postgres://kinora@127.0.0.1:{}/{}", self.port, self.name)
    }

    /// Through a proxy on another port.
    pub fn url_by(&self, port: u16) -> String {
        format!("postgres://kinora@127.0.0.1:{port}/{}", self.name)
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// Statements of a test's own.
    pub async fn pool(&self) -> PgPool {
        let options = PgConnectOptions::new_without_pgpass()
            .host("127.0.0.1")
            .port(self.port)
            .username("kinora")
            .database(&self.name);
        let pool = PgPoolOptions::new().max_connections(2);
        let pool = pool.acquire_timeout(Duration::from_secs(60));
        pool.connect_with(options).await.expect("a connection")
    }

    /// Sets a parameter for sessions of this database that begin from now on.
    pub async fn set(&self, parameter: &str, value: &str) {
        // In a session that may write, whatever it was set to before.
        self.execute(&format!(
            "SET transaction_read_only = off; ALTER DATABASE {} SET {parameter} = '{value}'",
            self.name
        ))
        .await;
    }

    /// Ends the sessions of all others.
    pub async fn end_connections(&self) {
        self.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
             WHERE datname = current_database() AND pid <> pg_backend_pid()",
        )
        .await;
    }

    /// A new user, who may use the tables that are there and make none.
    pub async fn user(&self) -> String {
        let user = format!("u{}", Uuid::new_v4().simple());
        let name = &self.name;
        self.execute(&format!(
            "CREATE ROLE {user} LOGIN; REVOKE CREATE ON DATABASE {name} FROM PUBLIC; \
             GRANT USAGE ON SCHEMA kinora TO {user}; \
             GRANT ALL ON ALL TABLES IN SCHEMA kinora TO {user}; \
             GRANT USAGE ON ALL SEQUENCES IN SCHEMA kinora TO {user}"
        ))
        .await;
        user
    }

    pub async fn execute(&self, statement: &str) {
        let pool = self.pool().await;
        let done = sqlx::raw_sql(sqlx::AssertSqlSafe(statement))
            .execute(&pool)
            .await;
        done.expect("a statement");
        pool.close().await;
    }
}

fn launch(ports: &Ports, more: &[&str]) -> Launch {
    let port = ports.port(PORT);
    let more = more.iter().map(|argument| (*argument).to_owned());
    Launch {
        arguments: [port.to_string()].into_iter().chain(more).collect(),
        variables: Vec::new(),
        litter: Vec::new(),
        serves: Box::new(move || serves(port)),
    }
}

/// Whether it takes clients: one that is still starting answers with an error.
fn serves(port: u16) -> bool {
    // Protocol 3.0, for a user and a database of these names; then the end of the message.
    let startup = b"\0\x03\0\0user\0kinora\0database\0postgres\0\0";
    let length = (startup.len() as u32 + 4).to_be_bytes();
    let mut answer = [0];
    TcpStream::connect(("127.0.0.1", port)).is_ok_and(|mut stream| {
        stream.write_all(&[&length[..], startup].concat()).is_ok()
            && stream.read_exact(&mut answer).is_ok()
            // R: who it is, is clear. E: an error.
            && answer == *b"R"
    })
}
