"""Tables for the commands; the work is done in ``core.tables``, which pages and the store use as well."""

from core.tables import need_columns, number_column, read_table, text_column

__all__ = ["need_columns", "number_column", "read_table", "text_column"]
