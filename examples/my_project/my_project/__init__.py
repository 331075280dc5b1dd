"""A model, a data set and a callback of this project; `conf/` names them."""
