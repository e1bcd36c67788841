"""The small cohort under names that mean something to Markdown, to figures or to a spreadsheet."""

from tests.helpers import small_cohort

HOST = "http://127.0.0.1:8718"
SUBJECTS = {
    "P1": f"![subject]({HOST}/subject.png)",
    "P2": "S$1$ costs $2",
    "P3": "[l](http://x.example)",
    "P4": "S-7~8~ :material/delete: :red[red]",
    "P5": f"<img src='{HOST}/tag.png'> `code`",
    "P6": "a_b_c & :smile: www.x.example",
}
VISITS = {"BL": f"![visit]({HOST}/visit.png)", "W52": "W*52*", "W104": "$W_{104}$"}
READERS = {"R1": "R$1$", "R2": f"![reader]({HOST}/reader.png)"}
CAMPAIGNS = {"paired": f"![campaign]({HOST}/c.png)"}
ARMS = {"Placebo": f"![arm]({HOST}/arm.png)", "Active": "Active<b>*x*</b>"}
LEVELS = {"positive": f"![level]({HOST}/level.png)", "negative": "~neg~"}
ODD = [name for names in (SUBJECTS, VISITS, READERS, CAMPAIGNS, ARMS, LEVELS) for name in names.values()]


def build(path, **options):
    """The small cohort with every name of its data an odd one."""
    store = small_cohort.build(path, **options)
    columns = {"subject": SUBJECTS, "visit": VISITS, "reader": READERS, "campaign": CAMPAIGNS}
    columns |= {"arm": ARMS, "text": LEVELS}
    with store.write("test", "odd names") as transaction:
        for table, found in transaction.tables().items():
            for column in sorted(set(found) & set(columns)):
                for old, new in columns[column].items():
                    sql = f'UPDATE main."{table}" SET "{column}" = ? WHERE "{column}" = ?'
                    transaction._connection.execute(sql, [new, old])
        transaction.set_meta("study", f"![study]({HOST}/study.png)")
    return store
