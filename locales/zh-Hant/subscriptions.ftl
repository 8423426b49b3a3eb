# 訂閱
subscription-subscribe = 訂閱
subscription-subscribe-title = 訂閱{ $name }
subscription-email = 電子郵件地址
subscription-email-hint = 我們會寄出一封確認信。不必註冊，隨時一鍵取消訂閱。
subscription-back-to = 返回{ $name }
subscription-asked-title = 請查看信箱
subscription-asked-text = { $name }的確認信已經寄出。點開信中的連結，訂閱即可生效。
subscription-asked-hint = 幾分鐘後仍未收到？請查看垃圾郵件匣，或核對地址後再試一次。

# 確認
subscription-confirm-title = 確認訂閱
subscription-confirm-text = { $name }有新文章時，會寄到 { $email }。
subscription-confirm-button = 確認訂閱
subscription-confirm-hint = 若非您本人所為，關閉本頁即可，不會寄送任何內容給您。
subscription-link-expired = 連結已過期，請重新訂閱以取得新的連結。

# 管理
subscription-manage-title = 管理訂閱
subscription-manage-hint = 本頁僅供您個人使用：知道此網址的人都能變更您的訂閱。
subscription-list-title = 我的訂閱
subscription-list-intro = 您訂閱的公眾號，以及接收方式。
subscription-list-empty-title = 還沒有訂閱
subscription-list-empty-text = 開啟公眾號首頁即可訂閱，新文章會寄到您的信箱和時間線。
subscription-status-pending = 等待您確認信箱
subscription-status-instant = 新文章立即寄到信箱
subscription-status-daily = 每天一封郵件
subscription-status-weekly = 每週一封郵件
subscription-status-muted = 不寄信，只顯示在時間線
subscription-status-paused = 已暫停
subscription-status-ended = 已取消訂閱
subscription-refused = 此信箱拒收郵件，已停止寄送：{ $words }
subscription-pause = 暫停
subscription-resume = 恢復
subscription-leave = 取消訂閱
subscription-rejoin = 重新訂閱
subscription-other-ways = 改為暫停或變更
subscription-leave-title = 確定取消訂閱？
subscription-leave-text = { $name }將不再寄信到 { $email }。
subscription-left-title = 已取消訂閱
subscription-left-text = { $name }將不再寄信到 { $email }。歡迎隨時回來。
subscription-nothing-left = 本站已不再保存這項訂閱，今後不會再有郵件寄來。

flash-subscription-begun = 訂閱成功。
flash-subscription-confirmed = 謝謝，訂閱已生效。
flash-subscription-instant = 有新文章會立即寄信給您。
flash-subscription-daily = 以後每天收到一封摘要。
flash-subscription-weekly = 以後每週收到一封摘要。
flash-subscription-muted = 不再寄信，新文章請看時間線。
flash-subscription-paused = 已暫停，恢復之前不會通知您。
flash-subscription-resumed = 已恢復。
flash-subscription-left = 已取消訂閱。
flash-subscription-rejoined = 歡迎回來，已重新訂閱。

# 郵件
subscription-letter-confirm-subject = 請確認訂閱{ $name }
subscription-letter-confirm-intro = 有人（希望是您本人）想用這個信箱接收{ $name }的新文章。請點選確認：
subscription-letter-confirm-button = 確認訂閱
subscription-letter-confirm-note = 連結 7 天內有效。若非您本人所為，忽略此信即可，我們不會再打擾您。
subscription-letter-already-subject = 您已訂閱{ $name }
subscription-letter-already-intro = 有人（希望是您本人）想用這個信箱訂閱{ $name }。此信箱已經訂閱，不必做任何事。您可以在這裡變更、暫停或取消訂閱：
subscription-letter-already-button = 管理訂閱
subscription-letter-already-note = 若非您本人所為，忽略此信即可，一切照舊。

# API
subscription-state-wrong = 只能設為 active 或 paused；取消訂閱請刪除此訂閱。
