demo-site-name = Xiangxun demo
demo-mail-title = Demo mailbox
demo-mail-intro = Mail that the demo sends is kept here and reaches nobody.
demo-mail-empty = No mail yet
demo-mail-empty-hint = Subscribe to an account, or push an article from the studio, and the mail shows up here.
demo-letter-text = Plain text
demo-letter-headers = Headers
