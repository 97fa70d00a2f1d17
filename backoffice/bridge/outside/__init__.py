"""An ERP of the company's own, outside of this program: told of orders, asked for stock (docs/erp.md)."""
