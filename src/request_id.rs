//! Which request is being answered: for log lines about what comes of it.

tokio::task_local! {
    static CURRENT: String;
}

/// Answers the request of this id.
pub async fn with<T>(id: String, answering: impl Future<Output = T>) -> T {
    CURRENT.scope(id, answering).await
}

/// Of the request that this task answers; `-`: it answers none.
pub fn current() -> String {
    CURRENT
        .try_with(String::clone)
        .unwrap_or_else(|_| "-".to_owned())
}
