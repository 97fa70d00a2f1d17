"""The shop window. Knows no SQL, no ERP, no service: only backoffice.public."""
