"""What accountants, banks and sellers take away: the ledger and statements in their formats, and theirs beside it."""
