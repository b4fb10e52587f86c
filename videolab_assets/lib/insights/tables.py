"""Where insights are kept: the tables alone."""

import sqlalchemy as sa

from videolab_assets.lib.insights.parts import COLUMNS

metadata = sa.MetaData()


def _object() -> list[sa.Column[str]]:
    return [
        sa.Column("account_id", sa.String(40), primary_key=True, comment="act_…"),
        sa.Column("level", sa.String(16), primary_key=True),
        sa.Column("object_id", sa.String(40), primary_key=True),
    ]


insights = sa.Table(
    "insights",
    metadata,
    *_object(),
    sa.Column("date", sa.Date, primary_key=True, comment="a day of the account's time zone"),
    sa.Column("breakdown", sa.String(200), primary_key=True, comment="age=18-24|gender=male; empty without"),
    sa.Column("window", sa.String(80), primary_key=True, comment="attribution: unified, or 7d_click,1d_view"),
    sa.Column("campaign_id", sa.String(40)),
    sa.Column("adset_id", sa.String(40)),
    sa.Column("currency", sa.String(3), nullable=False),
    sa.Column("time_zone", sa.String(64), nullable=False),
    # NULL where it was not asked for yet: a report that was too much comes in halves of its fields.
    *(sa.Column(column, sa.BigInteger) for column in COLUMNS),
    sa.Column("raw", sa.Text, nullable=False, comment="JSON as received"),
    sa.Column("first_seen_at", sa.Double, nullable=False),
    sa.Column("seen_at", sa.Double, nullable=False, comment="when Meta last returned it"),
    sa.Column("absent_since", sa.Double, comment="when Meta was first seen to return it no more; its last numbers stay"),
)
sa.Index("insights_of_days", insights.c.account_id, insights.c.level, insights.c.date)

unique = sa.Table(
    "insights_unique",
    metadata,
    *_object(),
    sa.Column("since", sa.Date, primary_key=True),
    sa.Column("until", sa.Date, primary_key=True, comment="included"),
    sa.Column("breakdown", sa.String(200), primary_key=True),
    sa.Column("window", sa.String(80), primary_key=True),
    sa.Column("reach", sa.BigInteger, comment="people, each once; sums over days or breakdowns mean nothing"),
    sa.Column("raw", sa.Text, nullable=False, comment="JSON of the fields that do not add up, as received"),
    sa.Column("seen_at", sa.Double, nullable=False),
)

restated = sa.Table(
    "insights_restated",
    metadata,
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("account_id", sa.String(40), nullable=False),
    sa.Column("level", sa.String(16), nullable=False),
    sa.Column("object_id", sa.String(40), nullable=False),
    sa.Column("date", sa.Date, nullable=False),
    sa.Column("until", sa.Date, nullable=False, comment="the date, except for metrics that do not add up"),
    sa.Column("breakdown", sa.String(200), nullable=False),
    sa.Column("window", sa.String(80), nullable=False),
    sa.Column("metric", sa.String(32), nullable=False),
    sa.Column("old", sa.BigInteger, nullable=False),
    sa.Column("new", sa.BigInteger, nullable=False),
    sa.Column("seen_at", sa.Double, nullable=False),
)
sa.Index("insights_restated_of_days", restated.c.account_id, restated.c.date)

reports = sa.Table(
    "insights_reports",
    metadata,
    sa.Column("report_key", sa.String(64), primary_key=True, comment="hash of the sync and the part"),
    sa.Column("sync_key", sa.String(64), nullable=False),
    sa.Column("account_id", sa.String(40), nullable=False),
    sa.Column("part", sa.Text, nullable=False, comment="JSON"),
    sa.Column("state", sa.String(16), nullable=False, comment="waiting, running, done, split"),
    sa.Column("report_run_id", sa.String(40)),
    sa.Column("cursor", sa.Text, nullable=False, comment="after the last page that was kept"),
    sa.Column("starts", sa.Integer, nullable=False, comment="requests for a job, also those of unknown outcome"),
    sa.Column("failures", sa.Integer, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("began_at", sa.Double, nullable=False, comment="when the whole sync began"),
    sa.Column("updated_at", sa.Double, nullable=False),
)
sa.Index("insights_reports_of_sync", reports.c.sync_key, reports.c.state)
