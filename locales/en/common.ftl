# The frame of every page
skip-to-content = Skip to content
site-name = Xiangxun
site-tagline = News from home, every piece of it
search = Search
search-placeholder = Search
nav-main = Main
nav-pages = Pages
nav-timeline = Timeline
nav-studio = Studio
nav-settings = Settings
nav-sign-in = Sign in
nav-sign-out = Sign out
nav-home = Front page
nav-language = Language
nav-feed = Feed
nav-api = API
nav-locale-short = EN
save = Save
cancel = Cancel
pager-older = Older articles
pager-newest = Back to the newest
verified = Verified
optional = optional

# Front page
home-latest = Latest articles
home-accounts = Accounts to follow
home-empty-title = Nothing here yet
home-empty-text = Articles will appear here once the first account publishes.
home-empty-open = Open an account
home-end = There is nothing older.

# An account's public page
account-articles = { $count ->
    [0] no articles yet
    [one] one article
   *[other] { NUMBER($count) } articles
}
account-no-articles-title = No articles yet
account-no-articles-text = Subscribe and the first one comes to your mailbox.
account-feeds = Follow in a feed reader

# Subscribing
subscribe = Subscribe
subscribed = Subscribed
subscribe-to = Subscribe to { $name }
subscribe-hint = New articles in your mailbox. No sign-up needed, leave at any time with one click.
subscribe-hint-signed-in = New articles go to { $email } and to your timeline.
subscribe-email = Email address
subscribe-manage = Manage subscriptions
subscribed-hint = You are told when there is something new.

# An article
article-minutes = { $count } min read
article-original = Read the original
article-previous = Previous
article-next = Next
article-neighbours = Neighbouring articles
article-tags = Tags
article-updated = updated { $date }
article-contents = Contents
article-related = Related articles

# Passing an article on
share = Share
share-url = Link
share-copy = Copy link
share-copied = Link copied
share-apps = Share with an app
share-mail = Send by mail
share-qr = QR code of this article's address
share-scan = Scan it with a phone to read or pass it on there

# Error pages
error-title-403 = Not allowed
error-title-404 = Page not found
error-title-409 = Somebody was faster
error-title-410 = No longer here
error-title-413 = Too large
error-title-422 = Please check your input
error-title-429 = One moment, please
error-title-500 = Something broke on our side
error-title-other = That did not work
error-back = Go back

# Without a network
offline-title = No network
offline-text = This page has not been read yet and needs a connection. Articles that you have read or saved can still be opened.
