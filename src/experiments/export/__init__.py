"""A trained model in the forms that other run times take, checked in each of them."""
