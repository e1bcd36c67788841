"""Tables for the commands; the work is done in ``data.tables.files``, which pages and the store use as
well.
"""

from data.tables.files import need_columns, number_column, read_table, text_column

__all__ = ["need_columns", "number_column", "read_table", "text_column"]
