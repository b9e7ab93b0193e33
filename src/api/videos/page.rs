//! Lists, page by page.

use actix_web::web::Query;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::api::error::ApiError;

const USUAL_LIMIT: u32 = 20;
const MOST: u32 = 100;

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ListQuery {
    /// Only those in this state.
    state: Option<String>,
    #[param(minimum = 1, maximum = 100)]
    limit: Option<u32>,
    /// The `next_cursor` of an earlier page.
    #[param(pattern = "^[0-9]{1,19}$")]
    cursor: Option<String>,
}

/// Which part of a list is asked for.
pub struct Page<S> {
    pub state: Option<S>,
    /// What is older than the last of an earlier page.
    pub before: Option<u64>,
    pub limit: u32,
}

/// A page of a list.
#[derive(Serialize, ToSchema)]
pub struct List<T> {
    items: Vec<T>,
    next_cursor: Option<String>,
}

impl<S> Page<S> {
    /// `named`: the state of a name, of which `names` are all.
    pub fn read(
        query: Result<Query<ListQuery>, actix_web::Error>,
        named: impl Fn(&str) -> Option<S>,
        names: &[&str],
    ) -> Result<Self, ApiError> {
        let ListQuery {
            state,
            limit,
            cursor,
        } = query
            .map_err(|error| ApiError::invalid("", error.to_string()))?
            .0;
        let chosen = state.map(|name| named(&name).ok_or(()));
        let state = chosen.transpose().map_err(|()| {
            ApiError::invalid("/state", format!("is not one of {}", names.join(", ")))
        })?;
        let limit = limit.unwrap_or(USUAL_LIMIT);
        if !(1..=MOST).contains(&limit) {
            let message = format!("is not from 1 to {MOST}");
            return Err(ApiError::invalid("/limit", message));
        }
        let before = cursor.map(|cursor| cursor.parse()).transpose();
        let before = before.map_err(|_| {
            ApiError::invalid("/cursor", "is not the next_cursor of an earlier page")
        })?;
        Ok(Self {
            state,
            before,
            limit,
        })
    }

    /// How many to look for: one more than is shown, which tells whether there is a next page.
    pub fn sought(&self) -> u32 {
        self.limit + 1
    }
}

impl<T> List<T> {
    /// All on one page.
    pub fn whole(items: Vec<T>) -> Self {
        Self {
            items,
            next_cursor: None,
        }
    }

    /// The page of what was found, each with its number in the order of the list.
    pub fn new(mut found: Vec<(u64, T)>, limit: u32) -> Self {
        let has_next = found.len() > limit as usize;
        found.truncate(limit as usize);
        let last = found.last().filter(|_| has_next);
        Self {
            next_cursor: last.map(|(seq, _)| seq.to_string()),
            items: found.into_iter().map(|(_, item)| item).collect(),
        }
    }
}
