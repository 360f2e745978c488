"""The two small networks that the package ships, with their weights; `networks` trains them."""
