"""Files of each format to a frame of text cells: delimited text, workbooks, Parquet, SAS."""
