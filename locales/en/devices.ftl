devices-title = Notifications
devices-intro = Once on, this browser tells you when an account you follow pushes something or an alert finds an article, even while the site is closed. Several that come close together are shown as one.
devices-no-script = Notifications need the browser's JavaScript; mail and the inbox do not.
devices-turn-on = Turn on in this browser
devices-ready = After the click the browser asks whether you allow it.
devices-unable = This browser has no notifications; on an iPhone or iPad add the site to the home screen first.
devices-denied = The browser does not let this site notify you. Allow it in the browser's settings for this site.
devices-failed = That did not work. Try again later.
devices-list = Browsers that are notified
devices-since = Since { $date }
devices-notified = Last notified: { $date }
devices-remove = Turn off
device-endpoint-wrong = The push address that the browser gave cannot be used.
device-keys-wrong = The keys that the browser gave cannot be used.
flash-device-removed = Turned off.
notice-several = { $count ->
    [one] { $count } new message
   *[other] { $count } new messages
}
notice-and-more = { $count ->
    [one] { $title }, and { $count } more
   *[other] { $title }, and { $count } more
}
notice-corrected = Corrected: { $title }
notice-withdrawn = Withdrawn: { $title }
delivery-channel-web_push = Browser
provider-web_push = Push services
