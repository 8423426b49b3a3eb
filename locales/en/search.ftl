search-title = { $query } – search
search-hint = Words, or "an exact phrase"
search-narrow = Narrow down
search-account = Account
search-from = Published from
search-to = Published until
search-lang = Language
search-lang-any = any
search-apply = Apply
search-order = Order
search-relevance = Best first
search-newest = Newest first
search-pages = Pages of results
search-first = First page
search-next = More results
search-end = There are no more results.
search-total = { $count ->
    [one] One article
   *[other] { NUMBER($count) } articles
} in { $ms } ms.
search-near = None has all of your words as they stand; these come close.
search-exact = { $count ->
    [one] The first has all of your words as they stand.
   *[other] The first { NUMBER($count) } have all of your words as they stand.
}
search-none-title = Nothing found
search-none-text = Try fewer or other words, leave out quotation marks, or widen the filters. Simplified and Traditional characters find each other.
search-start-title = Search every article
search-start-text = Words apart by spaces must all be there, a "quoted phrase" exactly so, and -word must not. Simplified and Traditional characters find each other.
search-building-title = Search will be back in a moment
search-building-text = The index is being built. Please try again shortly.
search-bad-date = Write a date such as 2026-01-31, 2026-01 or 2026.
search-bad-sort = The order must be relevance or newest.
search-bad-limit = The limit must be a whole number.
search-bad-cursor = This page of results no longer exists. Please search again.

# Suggestions under the search box
suggest-account = Account
suggest-tag = Tag
suggest-query = Frequent search
suggest-title = Article
