/* SPDX-License-Identifier: MIT */
#include "guest-tools/recover/launch.h"

#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static void execute(const char *const words[])
{
	execvp(words[0], (char *const *)words);
	perror(words[0]);
	_exit(127);
}

static void execute_words(const void *words)
{
	execute(words);
}

/* The child between us and the program ends at once, so that the program is nobody's to wait for.
 */
void launch_fork(void (*work)(const void *data), const void *data)
{
	pid_t pid = fork();
	if (pid == 0) {
		if (fork() == 0) {
			work(data);
			_exit(0);
		}
		_exit(0);
	}
	if (pid < 0)
		perror("fork");
	else
		waitpid(pid, NULL, 0);
}

void launch_start(const char *const words[])
{
	launch_fork(execute_words, words);
}

static bool become(uid_t uid)
{
	const struct passwd *person = getpwuid(uid);
	return person && initgroups(person->pw_name, person->pw_gid) == 0 &&
	       setgid(person->pw_gid) == 0 && setuid(uid) == 0;
}

int launch_wait_as(uid_t uid, const char *variable, const char *value, const char *const words[])
{
	int status = 0;
	pid_t pid = fork();
	if (pid == 0) {
		int nothing = open("/dev/null", O_RDWR | O_CLOEXEC);
		if (nothing < 0 || !become(uid) || (variable && setenv(variable, value, 1) != 0))
			_exit(126);
		dup2(nothing, STDOUT_FILENO);
		dup2(nothing, STDERR_FILENO);
		execute(words);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
		return -1;
	return WEXITSTATUS(status);
}
