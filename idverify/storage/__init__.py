"""The database: the only place that speaks SQL. It stores sealed bytes and never opens them."""
