"""What posts are polled from: one module a kind, each a `Source` of `monitor.model`. So far: feeds.

    configured    Config → the sources it names
    feeds         FeedSource: fetch → parse → select → posts and the next cursor
      fetch       a bounded GET:  address (URLs), guard (public addresses only), deadline, unpack (gzip), headers
      parser      bytes → ParsedFeed, in a process that can be killed:  parse_worker, document, jsonfeed, html_text
      entries     which entries are new or edited, and as which posts
    opml          lists of feeds

Nothing is imported here: the parser's process must stay small.
"""
