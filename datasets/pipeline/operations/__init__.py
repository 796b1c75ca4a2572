"""Operations on published releases and the ledger: verification, withdrawal, rollback, recovery."""
