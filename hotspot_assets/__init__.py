"""Place-based crime forecasting as a graph of Dagster assets; `definitions` is where everything meets."""
