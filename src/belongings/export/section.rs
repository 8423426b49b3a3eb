//! One list of an export's document: reading its rows, and writing what their columns hold.

use sea_orm::{ConnectionTrait, DbErr, QueryResult, Statement, Value};
use serde_json::{Map, Value as Json};

use crate::clock::Timestamp;
use crate::db::entities::user;

/// A column by what it holds, which is how the document writes it. Each has what is selected, `t.name` or
/// `.. AS name`; the name is the document's too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Column {
    Text(&'static str),
    Number(&'static str),
    Flag(&'static str),
    /// As `2026-01-31T08:00:00Z`.
    Time(&'static str),
    /// A path of this site, written as an address.
    Path(&'static str),
    Json(&'static str),
}

/// One list of the document. Its conditions name the person as `$1`, by id, or as `$3`, by address; `$2` is the cursor
/// after which a batch begins.
#[derive(Clone, Copy, Debug)]
pub struct Section {
    pub name: &'static str,
    pub(super) columns: &'static [Column],
    pub(super) from: &'static str,
    pub(super) whose: &'static str,
    /// What batches are ordered by.
    pub(super) cursor: &'static str,
    /// Rows that are read at once.
    pub(super) at_once: usize,
}

impl Section {
    /// Names of what the document says of each row.
    pub fn fields(&self) -> impl Iterator<Item = &'static str> {
        self.columns.iter().map(Column::name)
    }

    /// How many rows it has of a person.
    pub async fn count<C: ConnectionTrait>(&self, db: &C, user: &user::Model) -> Result<i64, DbErr> {
        let Self { from, whose, cursor, .. } = self;
        let sql = format!("SELECT COUNT(*) AS count FROM {from} WHERE {whose} AND {cursor} > $2");
        let row = db.query_one_raw(statement(db, &sql, user, 0)).await?;
        row.map_or(Ok(0), |row| row.try_get("", "count"))
    }

    /// The next rows after a cursor as the document has them, and the cursor after which to go on; none at the end.
    pub async fn batch<C: ConnectionTrait>(
        &self,
        db: &C,
        user: &user::Model,
        after: i64,
        base_url: &str,
    ) -> Result<(Vec<Json>, Option<i64>), DbErr> {
        let Self { columns, from, whose, cursor, at_once, .. } = self;
        let select: Vec<_> = columns.iter().map(Column::selected).collect();
        let select = select.join(", ");
        let sql = format!(
            "SELECT {cursor} AS after_this, {select} FROM {from} WHERE {whose} AND {cursor} > $2 \
             ORDER BY {cursor} LIMIT {at_once}"
        );
        let rows = db.query_all_raw(statement(db, &sql, user, after)).await?;
        let last = match rows.last() {
            Some(row) if rows.len() == *at_once => Some(row.try_get("", "after_this")?),
            _ => None,
        };
        let rows = rows.iter().map(|row| self.object(row, base_url)).collect::<Result<_, _>>()?;
        Ok((rows, last))
    }

    fn object(&self, row: &QueryResult, base_url: &str) -> Result<Json, DbErr> {
        let mut object = Map::new();
        for column in self.columns {
            object.insert(column.name().to_owned(), column.read(row, base_url)?);
        }
        Ok(Json::Object(object))
    }
}

impl Column {
    /// What the statement selects.
    fn selected(&self) -> &'static str {
        let (Self::Text(sql)
        | Self::Number(sql)
        | Self::Flag(sql)
        | Self::Time(sql)
        | Self::Path(sql)
        | Self::Json(sql)) = self;
        sql
    }

    fn name(&self) -> &'static str {
        let sql = self.selected();
        sql.rsplit([' ', '.']).next().unwrap_or(sql)
    }

    fn read(&self, row: &QueryResult, base_url: &str) -> Result<Json, DbErr> {
        let name = self.name();
        let value = match self {
            Self::Text(_) => row.try_get::<Option<String>>("", name)?.map(Json::from),
            Self::Number(_) => number(row, name)?.map(Json::from),
            Self::Flag(_) => row.try_get::<Option<bool>>("", name)?.map(Json::from),
            Self::Time(_) => {
                row.try_get::<Option<i64>>("", name)?.map(|moment| Json::from(Timestamp(moment).rfc3339()))
            }
            Self::Path(_) => {
                row.try_get::<Option<String>>("", name)?.map(|path| Json::from(format!("{base_url}{path}")))
            }
            Self::Json(_) => row.try_get::<Option<Json>>("", name)?,
        };
        Ok(value.unwrap_or_default())
    }
}

/// Binds what the statement names, and nothing else: PostgreSQL takes no value that it does not name, nor gaps
/// between the numbers.
fn statement<C: ConnectionTrait>(db: &C, sql: &str, user: &user::Model, after: i64) -> Statement {
    let known: [(&str, Value); 3] =
        [("$1", user.id.into()), ("$2", after.into()), ("$3", user.email.as_str().into())];
    let mut sql = sql.to_owned();
    let mut values = Vec::new();
    for (placeholder, value) in known {
        if sql.contains(placeholder) {
            values.push(value);
            sql = sql.replace(placeholder, &format!("${}", values.len()));
        }
    }
    Statement::from_sql_and_values(db.get_database_backend(), sql, values)
}

/// PostgreSQL tells 32 bits from 64.
fn number(row: &QueryResult, name: &str) -> Result<Option<i64>, DbErr> {
    match row.try_get::<Option<i64>>("", name) {
        Ok(number) => Ok(number),
        Err(_) => Ok(row.try_get::<Option<i32>>("", name)?.map(i64::from)),
    }
}
