"""Looks at each file once: is it an image, which, and is it there twice?"""
